// ---- the state of the page in the fragment of its address: JSON, deflated, in base64url

const LONGEST = 8192; // characters of an address; some programs cut off longer ones
const MOST_BYTES = 1_000_000; // that a link may unfold to

async function through(stream, bytes, most) {
    const parts = [], reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
        size += part.value.length;
        if (size > most) throw new RangeError("too long");
        parts.push(part.value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function pack(state) {
    const bytes = await through(new CompressionStream("deflate"), new TextEncoder().encode(JSON.stringify(state)), Infinity);
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// Return the state in a fragment, without entries of the wrong type; throw an error if it cannot be read.
async function unpack(fragment, languages) {
    const bytes = Uint8Array.from(atob(fragment.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const found = JSON.parse(new TextDecoder("utf-8", {fatal: true}).decode(await through(new DecompressionStream("deflate"), bytes, MOST_BYTES)));
    const isText = (x) => typeof x === "string", state = {};
    if (isText(found.expression)) state.expression = found.expression;
    else if (isText(found.code)) state.code = found.code;
    else throw new TypeError("neither an expression nor code");
    const numbers = Object.entries(Object(found.values)).filter(([, x]) => !isText(x) || ["Infinity", "-Infinity", "NaN"].includes(x));
    state.values = Object.fromEntries(numbers.map(([name, x]) => [name, Number(x)]));
    if (Number.isInteger(found.step) && found.step >= 0) state.step = found.step;
    if (["nodes", "neurons"].includes(found.view)) state.view = found.view;
    if (TABS.includes(found.tab)) state.tab = found.tab;
    if (isText(found.language) && Object.hasOwn(languages, found.language)) state.language = found.language;
    return state;
}

// Numbers that JSON cannot hold become text, as in Python.
const strict = (numbers) => Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, Number.isFinite(x) ? x : String(x)]));

// Put a text into the clipboard; return whether the browser lets pages do that.
async function toClipboard(text) {
    try {
        await navigator.clipboard.writeText(text); // undefined unless the origin is secure
        return true;
    } catch {
        return false;
    }
}

// The links of a page: it follows them, and keeps its address up to date.
class Links {
    constructor(page) {
        this.page = page;
        by("link").addEventListener("click", () => this.copy());
        addEventListener("hashchange", () => this.follow());
    }

    get state() {
        const {page} = this, {player} = page, isCode = page.mode === "code" && by("code").value.trim() !== "";
        const values = strict(isCode ? page.changed : page.values);
        return {
            ...(isCode ? {code: by("code").value} : {expression: by("expression").value}),
            values, step: player?.place ?? 0, view: player?.view, tab: page.tab, language: page.language,
        };
    }

    // The address keeps a link until its graph is shown.  It is written twice a second at most, and also while numbers go on changing.
    writeSoon() {
        this.writing ??= setTimeout(() => {
            this.writing = null;
            if (this.page.names.length) this.write();
        }, 500);
    }

    async write() {
        const hash = await pack(this.state);
        if (location.hash.slice(1) !== hash) history.replaceState(null, "", `#${hash}`);
    }

    async copy() {
        const {page} = this;
        if (by("gate").hidden) await this.write();
        const size = location.href.length, isCopied = await toClipboard(location.href);
        if (size > LONGEST) page.notify(page.word("link-long", {size: (size / 1024).toFixed(1)}));
        else page.notify(isCopied ? page.word("link-copied") : page.word("link-here"));
    }

    // Open the link in the address.
    async follow() {
        const {page} = this;
        let state;
        try {
            state = await unpack(location.hash.slice(1), SITE.languages);
        } catch {
            page.notify(page.word("link-broken")); // whatever is wrong with it, the page stays as it is
            return;
        }
        if (state.language && state.language !== page.language) page.speak(state.language);
        page.clear();
        if (state.tab) page.panels.open(state.tab);
        if (state.code !== undefined) page.gate(state);
        else await this.compute(state);
    }

    async compute({expression, values, step, view}) {
        const {page} = this, example = SITE.examples.findIndex(({content}) => content.expression === expression);
        if (example >= 0) {
            await page.take(example);
            page.set(values);
            page.values = {...page.values, ...values};
            page.list(page.values);
            if (page.player) page.resume(step, view);
            return;
        }
        page.fill({expression, values});
        const error = await page.compute({step, view, isPlaying: !step}), given = page.values;
        if (!error) return;
        page.values = {}; // a player made at other numbers shows where these are undefined
        if (await page.compute({values, step, view, isPlaying: false})) {
            page.list(page.values = given);
            page.complain(error);
        }
    }
}
