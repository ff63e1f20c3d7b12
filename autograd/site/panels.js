// ---- the tabs: why, check, exercise and code, each filled with what Python returns

const MATH = "http://www.w3.org/1998/Math/MathML";

// A formula as an element.  Anything but MathML is shown as text, because Python may have run code from a link.
function formula(markup) {
    const template = document.createElement("template");
    template.innerHTML = markup.startsWith("<math") ? markup : `<math displaystyle="true">${markup}</math>`;
    const all = [...template.content.querySelectorAll("*")], isMath = all.every(({namespaceURI}) => namespaceURI === MATH);
    return isMath ? template.content : document.createTextNode(markup);
}

class Panels {
    constructor(page) {
        this.page = page;
        this.seed = 0;
        this.order = 0; // counts requests, as in the page
        this.tabs = TABS.map((tab) => by(`tab-${tab}`));
        for (const [i, tab] of this.tabs.entries()) {
            tab.addEventListener("click", () => this.open(TABS[i]));
            tab.addEventListener("keydown", (event) => this.press(event, i));
        }
        by("node").addEventListener("change", () => this.refresh());
        by("kind").addEventListener("change", () => this.refresh());
        by("another").addEventListener("click", () => {
            this.seed++;
            this.refresh();
        });
        by("copy").addEventListener("click", () => this.copy());
        this.list(page.names);
        this.speak();
    }

    speak() {
        const kind = by("kind").value;
        this.asked = null;
        by("kind").replaceChildren(...TASKS.map((task) => new Option(this.page.word(`task-${task}`), task)));
        if (kind) by("kind").value = kind;
    }

    press(event, i) {
        const back = this.page.word("direction") === "rtl" ? 1 : -1, n = this.tabs.length;
        const to = {ArrowLeft: i + back, ArrowRight: i - back, Home: 0, End: n - 1}[event.key];
        if (to === undefined) return;
        event.preventDefault();
        this.open(TABS[(to + n) % n]);
        this.tabs[(to + n) % n].focus();
    }

    open(tab) {
        const {page} = this;
        page.tab = tab;
        TABS.forEach((each, i) => {
            this.tabs[i].ariaSelected = String(each === tab);
            this.tabs[i].tabIndex = each === tab ? 0 : -1;
            by(`panel-${each}`).hidden = each !== tab;
        });
        if (tab === "step") page.player?.arrange();
        else page.halt(); // the other tabs are about numbers that stand still
        this.refresh();
        page.links.writeSoon();
    }

    // The nodes whose gradient can be explained.
    list(names) {
        const node = by("node").value;
        by("node").replaceChildren(...names.map((name) => new Option(name)));
        if (names.includes(node)) by("node").value = node;
    }

    refreshSoon() {
        clearTimeout(this.soon);
        this.soon = setTimeout(() => this.refresh(), 300);
    }

    // Fill the panel that is open.
    async refresh() {
        const {page} = this, {tab} = page, panels = {why: "reasons", check: "report", exercise: "task", code: "source"};
        if (!panels[tab]) return; // the player
        const place = by(panels[tab]), order = ++this.order;
        by("another").hidden = !/^\d/.test(by("kind").value);
        if (page.host.isConnected === false || !page.names.length) return void place.replaceChildren(page.word("nothing"));
        if (document.body.dataset.python !== "ready") place.replaceChildren(page.word("waiting"));
        try {
            const parts = await this[tab](); // the method with the tab's name
            if (order !== this.order) return;
            place.replaceChildren(...parts);
            if (tab === "exercise" && !this.asked.host.player) page.attach(this.asked.host, this.asked.rows);
        } catch (error) {
            if (order === this.order) place.replaceChildren(error instanceof StoppedError ? page.word("stopped") : error.message);
        }
    }

    async about(name, given) {
        const found = await this.page.about(name, {values: strict(this.page.numbers), ...given});
        if (found.error) throw new Error(found.error.text);
        return found;
    }

    heading(key) {
        return made("h2", {}, this.page.word(key));
    }

    table(heads, rows) {
        const head = made("tr", {}, ...heads.map((key) => made("th", {scope: "col"}, this.page.word(key))));
        const body = rows.map((cells) => made("tr", {}, ...cells.map((cell, i) => made("td", {data: {caption: this.page.word(heads[i])}}, cell))));
        return made("table", {}, made("thead", {}, head), made("tbody", {}, ...body));
    }

    async why() {
        const {ledger, total, derivation} = await this.about("why", {node: by("node").value}), heads = ["through", "upstream", "local", "contribution"];
        const rows = ledger.map(({consumer, upstream, local, contribution}) => [consumer, upstream, local, contribution].map((cell) => formula(cell)));
        const parts = rows.length ? [this.heading("ledger"), this.table(heads, rows)] : [];
        return [...parts, made("div", {className: "formula"}, formula(total)), this.heading("derivation"), made("div", {className: "formula", tabIndex: 0}, formula(derivation))];
    }

    async check() {
        const {verdict, summary, rows, notes} = await this.about("check"), heads = ["derivative", "at", "backward", "numeric", "error", "verdict"];
        const head = made("p", {className: `verdict ${verdict}`}, summary);
        return [head, this.table(heads, rows), ...notes.map((note) => made("p", {}, note))];
    }

    async code() {
        const {page} = this, {text} = await page.about("code", {values: strict(page.mode === "code" ? page.changed : page.numbers)});
        return [text];
    }

    async copy() {
        const isCopied = await toClipboard(by("source").textContent);
        if (!isCopied) getSelection().selectAllChildren(by("source"));
        this.page.notify(isCopied ? this.page.word("copied") : this.page.word("copy-here"));
    }

    // An exercise is a player of its own, which marks answers by itself; it is kept until the graph or its numbers change.
    async exercise() {
        const kind = by("kind").value, {page} = this, isOwn = !/^\d/.test(kind);
        const about = [kind, isOwn ? [page.content, page.numbers] : this.seed];
        if (isSame(about, this.asked?.about)) return [this.asked.host];
        const found = await this.about("exercise", {kind, seed: this.seed}), host = page.put(found);
        this.asked = {about, host, rows: found.rows};
        by("task").dataset.kind = kind;
        return [host];
    }
}
