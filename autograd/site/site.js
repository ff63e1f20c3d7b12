// ---- the page: the fields for expressions and code, the player beneath them, and the tabs
//
// The idea: the page holds a state, an expression or code with its numbers, and Python holds the graph of the last state that
// worked.  The player computes by itself; Python makes new graphs, and fills the other tabs.

const TABS = ["step", "why", "check", "exercise", "code"];
const TASKS = ["gradients", "deltas", "local", "order", "update", "1", "2", "3", "4"];
const PAUSE = 500; // milliseconds without a key after which an expression is computed
const SLOW = 800; // milliseconds after which a computation can be stopped
const SITE = JSON.parse(document.querySelector("#site").textContent);

const by = (id) => document.getElementById(id);
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

class Page {
    constructor() {
        this.language = document.documentElement.lang;
        this.makePlayer();
        this.mode = "expression";
        this.tab = "step";
        this.values = SITE.examples[0].content.values;
        this.names = SITE.first.names;
        this.content = SITE.examples[0].content; // of the graph that is shown
        this.held = null; // the content of the graph that Python holds
        this.arriving = {}; // from a link: the numbers, step and view of the player that will be shown
        this.links = new Links(this);
        this.order = 0; // counts requests, so that late answers are dropped
        this.asking = 0; // requests that Python has not answered
        this.state = ["loading", 0]; // of Python: a phase and its detail
        this.isBusy = this.wasReady = false;
        this.listen();
        this.panels = new Panels(this);
        this.offerLanguages();
        this.host = document.querySelector(".autograd-player");
        this.style = this.host.shadowRoot.querySelector("style").textContent;
        this.shown = this.first = {...SITE.first, markup: this.host.shadowRoot.innerHTML};
        this.play(SITE.first.rows);
        this.python = new Python(SITE.files, (...notice) => this.onPython(...notice));
        this.showState();
        if (location.hash.length > 1) this.links.follow();
        else if (!calm.matches) this.player?.play();
        navigator.serviceWorker?.register("service-worker.js").catch(() => {}); // without it the page needs the network again
    }

    word(key, given = {}) {
        const text = SITE.languages[this.language][key] ?? SITE.languages.en[key] ?? key;
        return text.replace(/\{(\w+)\}/g, (whole, name) => given[name] ?? whole);
    }

    // ---- languages

    // Make the player's scripts with the words of the language.
    makePlayer() {
        const say = (text, ...given) => this.word(text).replaceAll("{}", () => given.shift());
        ({Player, calm, made, decoded, noticeTyping, read, repr, FUNCTIONS} = playerIn(say));
    }

    // Put the words of the player's frame into the language; they are written in English.
    translate(root) {
        const turned = (text) => (text.trim() ? this.word(text.trim()) : text);
        for (const element of root.querySelectorAll("[title]")) element.title = turned(element.title);
        for (const element of root.querySelectorAll("[aria-label]")) element.ariaLabel = turned(element.ariaLabel);
        for (const element of root.querySelectorAll("button, b, span, option, p, label")) {
            if (!element.children.length && element.textContent.trim()) element.textContent = turned(element.textContent);
        }
    }

    offerLanguages() {
        const names = Object.entries(SITE.languages);
        by("languages").hidden = names.length < 2;
        by("language").append(...names.map(([key, words]) => new Option(words["language-name"], key)));
        by("language").addEventListener("change", () => this.speak(by("language").value));
    }

    speak(language) {
        this.language = by("language").value = language;
        document.documentElement.lang = language;
        document.documentElement.dir = this.word("direction");
        document.title = this.word("title");
        for (const element of document.querySelectorAll("[data-word]")) element.textContent = this.word(element.dataset.word);
        for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = this.word(element.dataset.label);
        this.showState();
        this.panels.speak();
        this.makePlayer();
        const {changed: values, player} = this, {place: step, view} = player ?? {};
        if (this.names.length) this.show(this.content, this.shown, {values, step, view, isPlaying: false});
        this.links.writeSoon();
    }

    // ---- the fields

    listen() {
        by("example").addEventListener("change", () => this.take(Number(by("example").value)));
        for (const radio of document.querySelectorAll("[name=mode]")) radio.addEventListener("change", () => this.turn(radio.value));
        by("expression").addEventListener("input", () => {
            clearTimeout(this.typing);
            this.typing = setTimeout(() => this.compute(), PAUSE);
        });
        by("expression").addEventListener("keydown", (event) => event.key === "Enter" && this.compute());
        noticeTyping(by("variables"), (field) => (field.isTyped ? this.change(field) : this.leave(field)));
        // A number that is dragged does not take the focus, so that its field would go on showing what was typed.
        by("panel-step").addEventListener("pointerdown", () => by("variables").querySelector(":focus")?.blur());
        by("code").addEventListener("input", () => this.number());
        by("code").addEventListener("scroll", () => (by("lines").scrollTop = by("code").scrollTop));
        by("code").addEventListener("keydown", (event) => this.press(event));
        by("run").addEventListener("click", () => this.compute());
        by("stop").addEventListener("click", () => this.stop());
        by("retry").addEventListener("click", () => {
            this.python.begin();
            if (!by("problem").hidden) this.compute(); // anything typed while there was no Python
        });
        by("show-code").addEventListener("click", () => this.reveal());
    }

    press(event) {
        const area = by("code");
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            this.compute();
        } else if (event.key === "Escape") {
            this.isLeaving = true;
        } else if (event.key === "Tab" && !this.isLeaving && !event.shiftKey && !event.ctrlKey && !event.altKey) {
            event.preventDefault();
            area.setRangeText("    ", area.selectionStart, area.selectionEnd, "end");
            this.number();
        } else if (event.key !== "Shift") {
            this.isLeaving = false;
        }
    }

    // Number the lines of the cell, and mark the one at fault.
    number(wrong = 0) {
        const count = by("code").value.split("\n").length;
        const lines = Array.from({length: count}, (_, i) => made("span", {className: i + 1 === wrong ? "wrong" : ""}, `${i + 1}\n`));
        by("lines").replaceChildren(...lines);
        by("code").rows = Math.min(Math.max(count + 1, 6), 18);
    }

    turn(mode) {
        this.mode = mode;
        for (const radio of document.querySelectorAll("[name=mode]")) radio.checked = radio.value === mode;
        by("expression-part").hidden = mode !== "expression";
        by("code-part").hidden = mode !== "code";
        by("gate").hidden = true;
        this.complain(null);
    }

    // Take an example: its player was made when the site was built.
    async take(i) {
        const {content} = SITE.examples[i], order = ++this.order;
        this.arriving = {};
        this.fill(content);
        const shown = i ? (await this.examples().catch(() => []))[i - 1] : this.first;
        if (order !== this.order) return;
        if (!shown) return this.compute(); // the file cannot be loaded, but Python can make what is in it
        this.show(content, shown);
        if (this.tab !== "step") this.panels.refresh();
    }

    // The players of the other examples.
    async examples() {
        const unfold = async () => new Response((await fetch("examples.bin")).body.pipeThrough(new DecompressionStream("deflate"))).json();
        return (this.made ??= await unfold());
    }

    // Write content into the fields.
    fill({expression, values = {}, code}) {
        document.activeElement.isTyped = false; // anything typed belongs to the old content
        this.values = values;
        if (expression === undefined) {
            by("code").value = code;
            this.turn("code");
        } else {
            by("expression").value = expression;
            this.list(values);
            this.turn("expression");
        }
        this.nameExample({expression, code});
        by("output").hidden = true;
    }

    // Choose the example with this content in the list, if there is one.
    nameExample({expression, code}) {
        const example = SITE.examples.findIndex(({content}) => content.expression === expression && content.code === code);
        by("example").value = example < 0 ? "" : String(example);
    }

    // Show a field for each variable of the expression.
    list(values) {
        const old = new Map([...by("variables").querySelectorAll("input")].map((input) => [input.name, input]));
        const fields = Object.entries(values).map(([name, x]) => {
            const kept = old.get(name), text = repr(Number(x)).replace(/\.0$/, "");
            if (kept) {
                if (!kept.isTyped && !Object.is(read(kept.value), Number(x))) [kept.value, kept.ariaInvalid] = [text, "false"];
                return kept.parentElement;
            }
            const input = made("input", {type: "text", name, value: text, inputMode: "text", autocomplete: "off"});
            return made("label", {}, made("span", {dir: "ltr"}, name), input);
        });
        if (fields.some((field, i) => by("variables").children[i] !== field) || by("variables").children.length !== fields.length) {
            const active = document.activeElement;
            by("variables").replaceChildren(...fields);
            if (by("variables").contains(active)) active.focus();
        }
    }

    // A variable was given another number: the player computes by itself.
    change(input) {
        const x = read(input.value), isNumber = input.value.trim() !== "" && !Number.isNaN(x);
        input.ariaInvalid = String(!isNumber);
        this.complain(isNumber ? null : {text: this.word("not-number", {name: input.name})});
        if (!isNumber) return;
        this.values = {...this.values, [input.name]: x};
        const isShown = this.content.expression === by("expression").value && this.player && !this.player.graph.problem;
        if (isShown && this.player.leafCalled(input.name) >= 0) this.host.player.set({[input.name]: x});
        else this.compute();
    }

    // A field was left: it shows the variable's number, unless it holds something else, which is complained about.
    leave(field) {
        if (field.ariaInvalid !== "true") this.list(this.values);
    }

    // ---- computing

    get typed() {
        return this.mode === "code" ? {code: by("code").value} : {expression: by("expression").value, values: strict(this.values)};
    }

    // Compute the content of the fields, and play it; return what is wrong with it.
    async compute(arriving = this.arriving) {
        clearTimeout(this.typing);
        if (!by("gate").hidden) return;
        const content = this.typed, order = ++this.order;
        this.nameExample(content);
        try {
            const shown = await this.ask("show", content);
            if (order !== this.order) return;
            this.print(shown.output);
            this.complain(shown.error ?? null);
            if (shown.error && shown.values) this.list(this.values = shown.values);
            if (shown.error) return shown.error;
            this.held = content;
            this.arriving = {};
            this.show(content, shown, arriving);
            if (this.tab !== "step") this.panels.refresh();
        } catch (error) {
            const text = error instanceof EndedError ? this.word("ended", {reason: error.message}) : error.message;
            if (order === this.order && !(error instanceof StoppedError)) this.complain({text});
        }
    }

    // Call Python, with a button to stop it if it takes long.
    async ask(name, given) {
        if (document.body.dataset.python === "loading") this.notify(this.word("waiting"));
        await this.python.ready;
        if (by("notice").textContent === this.word("waiting")) this.notify("");
        this.asking++;
        const timer = setTimeout(() => (by("stop").hidden = false), SLOW);
        try {
            return await this.python.call(name, given);
        } finally {
            clearTimeout(timer);
            this.asking--;
            if (!this.asking) by("stop").hidden = true;
        }
    }

    // Call Python about the graph that is shown, at the numbers that are shown.
    async about(name, given) {
        if (!isSame(this.held, this.content)) {
            const content = this.content, {error} = await this.ask("show", content);
            if (error) return {error};
            this.held = content;
        }
        return this.ask(name, given);
    }

    stop() {
        this.order++;
        this.python.restart(new StoppedError("stopped"));
        this.notify(this.word("stopped"));
    }

    print(text) {
        by("output").hidden = !text;
        by("output").querySelector("pre").textContent = text ?? "";
    }

    // Show an error and its place, or none.
    complain(error) {
        const place = by("problem"), field = this.mode === "code" ? by("code") : by("expression");
        place.hidden = error === null;
        field.ariaInvalid = String(error !== null);
        place.replaceChildren();
        this.number(error?.line ?? 0);
        if (error === null) return;
        const parts = [made("p", {}, error.line ? `${this.word("line", error)}: ${error.text}` : error.text)];
        if (error.end !== undefined && (error.start || error.end)) {
            const characters = [...by("expression").value], part = (from, to) => characters.slice(from, to).join(""); // as Python counts
            const {start} = error, end = Math.max(error.end, start + 1), wrong = made("mark", {}, part(start, end) || " ");
            parts.unshift(made("pre", {dir: "ltr", ariaHidden: "true"}, part(0, start), wrong, part(end)));
        }
        place.append(...parts);
    }

    // ---- the player

    // Show a graph in a new player.
    show(content, shown, {values: numbers = {}, step, view, isPlaying = true} = {}) {
        const {markup, rows, title, names, values} = shown;
        Object.assign(this, {content, names, shown});
        if (values && this.mode === "expression") this.list(this.values = values);
        this.halt();
        this.host = this.put({markup, title});
        by("panel-step").replaceChildren(this.host);
        this.play(rows);
        this.panels.list(names);
        this.set(numbers);
        const {player} = this;
        if (player) {
            this.resume(step, view);
            if (isPlaying && !calm.matches && this.tab === "step") player.play();
        }
        this.links.writeSoon();
    }

    halt() {
        if (!this.player) return;
        this.player.isTraining = false;
        this.player.pause(); // which also shows that it does not train any more
    }

    // An element with a player in it, which does not play yet.
    put({markup, title}) {
        const host = made("div", {className: "autograd-player", role: "group", ariaLabel: title});
        host.attachShadow({mode: "open"}).innerHTML = markup.replace("<style></style>", () => `<style>${this.style}</style>`);
        if (this.language !== "en") this.translate(host.shadowRoot);
        return host;
    }

    // Make a player in a host; null if its rows cannot be run.
    attach(host, rows) {
        const data = JSON.parse(decoded(host.shadowRoot.querySelector(".data").textContent));
        let known = null;
        try {
            known = readRows(rows, FUNCTIONS);
        } catch (error) {
            if (!(error instanceof UnreadableError)) throw error;
            data.reason = error.message;
        }
        const player = new Player(host, data, known);
        return data.reason ? null : player;
    }

    // Play what is in the host.
    play(rows) {
        this.player = this.attach(this.host, rows);
        this.host.addEventListener("change", () => this.followSoon());
    }

    // Give leaves other numbers; names that are not leaves are ignored.
    set(numbers) {
        const known = Object.entries(numbers).filter(([name]) => (this.player?.leafCalled(name) ?? -1) >= 0);
        if (known.length) this.host.player.set(Object.fromEntries(known));
    }

    // The numbers of all leaves, by their full names.
    get numbers() {
        return Object.fromEntries((this.player?.leaves ?? []).map((leaf) => [leaf.full, this.player.numberOf(leaf)]));
    }

    // The numbers that differ from those of the graph as it was made.
    get changed() {
        const leaves = (this.player?.leaves ?? []).filter((leaf) => !Object.is(leaf.value, this.player.numberOf(leaf)));
        return Object.fromEntries(leaves.map((leaf) => [leaf.full, this.player.numberOf(leaf)]));
    }

    // The fields follow the player.
    followSoon() {
        this.following ??= requestAnimationFrame(() => {
            this.following = null;
            const {numbers} = this, names = Object.keys(this.values).filter((name) => name in numbers);
            const isChanged = names.some((name) => !Object.is(Number(this.values[name]), numbers[name]));
            if (this.mode === "expression" && this.content.expression === by("expression").value && isChanged) {
                this.values = {...this.values, ...Object.fromEntries(names.map((name) => [name, numbers[name]]))};
                this.list(this.values);
                if (!by("variables").querySelector("[aria-invalid=true]")) this.complain(null); // about other numbers
            }
            if (this.tab !== "step") this.panels.refreshSoon();
            this.links.writeSoon();
        });
    }

    // ---- the state of Python

    // Take a notice of `Python`.
    onPython(phase, detail) {
        if (phase === "busy") this.isBusy = detail > 0;
        else this.state = [phase, detail];
        this.wasReady ||= phase === "ready";
        if (phase === "loading" || phase === "failed") this.held = null;
        this.showState();
    }

    showState() {
        const [phase, detail] = this.state;
        by("retry").hidden = phase !== "failed";
        const texts = {
            loading: () => (detail < 1 ? this.word("loading", {percent: Math.round(detail * 100)}) : this.word("starting")),
            ready: () => this.word(this.isBusy ? "working" : "ready", {version: SITE.version}),
            failed: () => this.word(this.wasReady ? "ended" : "failed", {reason: detail?.message ?? ""}),
        };
        const text = texts[phase]();
        if (by("state").textContent !== text) by("state").textContent = text;
        document.body.dataset.python = phase;
    }

    notify(text) {
        by("notice").textContent = text;
    }

    // ---- what a link brings

    resume(step, view) {
        const {player} = this;
        if (view && player.all("[data-shows]").some(({dataset}) => dataset.shows === view)) player.look(view);
        if (step) this.host.player.goto(step);
    }

    // Show no graph.
    clear() {
        this.halt();
        by("panel-step").replaceChildren(made("p", {className: "note", data: {word: "nothing"}}, this.word("nothing")));
        [this.player, this.names] = [null, []];
        this.panels.list([]);
        this.panels.refresh();
    }

    // Code from a link does not run before it has been seen.
    gate(state) {
        this.order++;
        this.fill({code: ""});
        by("code-part").hidden = true;
        by("gate").hidden = false;
        this.gated = state;
    }

    reveal() {
        const {code, values, step, view} = this.gated;
        by("gate").hidden = true;
        by("code-part").hidden = false;
        this.fill({code});
        this.arriving = {values, step, view, isPlaying: !step};
        by("run").focus();
    }
}
