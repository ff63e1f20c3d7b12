// ---- the state of the page in the fragment of its address: JSON, deflated, in base64url

const LONG = 8192; // characters; some programs cut off longer addresses
const MOST = 1_000_000; // bytes that a link may unfold to

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
    const found = JSON.parse(new TextDecoder("utf-8", {fatal: true}).decode(await through(new DecompressionStream("deflate"), bytes, MOST)));
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
