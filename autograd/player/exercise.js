// ---- an exercise in the page: the graph is played forward, with a blank for each question, and answers are marked at once
//
// While the exercise is open, the page has no backward pass, and its numbers are fixed.  Once all answers are right, or the
// solution has been shown, the page is an ordinary player.

const LONGEST_BLANK = 12; // characters of an answer that the picture shows

class Exercise {
    // player: a Player; asked: the exercise, as `Exercise.play` in asking.py describes it; graph: a second Graph from the same
    // data, which keeps the numbers of the exercise when those of the player are changed.
    constructor(player, asked, graph) {
        Object.assign(this, {player, asked, isOpen: true, answers: new Map(), marks: [], fields: []});
        this.marker = new Marker(graph, asked);
        this.isOrder = asked.kind === "order";
        this.order = []; // places: the answer so far, if the question is an order
        for (const picture of player.pictures) picture.blanks = this;
        const nodes = player.stages.find(({dataset}) => dataset.view === "nodes");
        if (nodes && ["local", "order"].includes(asked.kind)) player.view = "nodes"; // whose boxes and arrows have the blanks
        player.player.classList.add("exercising");
        this.build();
        player.place = player.graph.order.length - 1; // so that everything given is shown
    }

    build() {
        const {asked, player} = this;
        this.score = made("output", {className: "points", ariaLive: "polite"});
        this.list = made("ol", {className: "questions"});
        if (this.isOrder) this.list.append(this.question("order, with commas", asked.hints, 0));
        else this.list.append(...asked.questions.map(({name, hints}, i) => this.question(name, hints, i)));
        const how = this.isOrder ? "Press the nodes in the picture, or write their names, with commas."
            : "An answer is a number, a fraction such as 1/2, or a formula over the names in the picture.";
        const giveUp = made("button", {type: "button", className: "give-up", on: {click: () => this.close()}}, "Show the solution");
        this.solution = made("pre", {className: "solution", hidden: true});
        this.element = made("section", {className: "exercise", ariaLabel: "Exercise"},
            made("p", {className: "head"}, made("b", {}, asked.task), this.score),
            ...asked.notes.map((note) => made("p", {className: "note"}, note)), this.list,
            made("p", {className: "note"}, `${how} Enter marks it; an answer that cannot be read costs no points.`), giveUp, this.solution);
        player.find(".desk").append(this.element);
        this.tally();
    }

    // The field of a question, with its hints and its mark.
    question(name, hints, i) {
        const input = made("input", {className: "answer", type: "text", autocomplete: "off", autocapitalize: "off",
                                     spellcheck: false, ariaLabel: name});
        const mark = made("output", {className: "mark", ariaLive: "polite"});
        const shown = made("ol", {className: "hints", ariaLive: "polite"});
        const hint = made("button", {type: "button", className: "hint"}, "Hint");
        const label = made("label", {}, made("span", {}, `${name} = `), input);
        const undo = {click: () => this.setOrder(this.order.slice(0, -1))};
        const buttons = this.isOrder ? [made("button", {type: "button", className: "undo", on: undo}, "Undo")] : [];
        hint.addEventListener("click", () => {
            const given = shown.children.length;
            if (given < hints.length) shown.append(made("li", {}, hints[given]));
            hint.ariaDisabled = given >= hints.length - 1;
        });
        input.addEventListener("input", () => this.type(i));
        input.addEventListener("change", () => this.answer(i));
        input.addEventListener("keydown", (event) => event.key === "Enter" && this.enterKey(i));
        for (const event of ["focus", "blur"]) input.addEventListener(event, () => this.point(event === "focus" ? i : null));
        this.fields.push({input, mark});
        return made("li", {className: "question"}, label, hint, ...buttons, mark, shown);
    }

    // ---- answering

    // While an answer is being typed it has no mark; a formula shows its number.
    type(i) {
        const {input, mark} = this.fields[i];
        input.removeAttribute("aria-invalid");
        mark.className = "mark";
        mark.textContent = "";
        this.fields[i].isStale = true;
        if (this.isOrder) return;
        try {
            const {isFormula, value} = this.marker.read(input.value);
            if (isFormula) mark.textContent = `= ${this.player.graph.number(value)}`;
        } catch (error) {
            if (!(error instanceof Refused)) throw error; // it may be half of an answer
        }
    }

    enterKey(i) {
        this.answer(i);
        if (this.marks[i]?.isRight) this.fields.find(({input}, k) => k > i && !input.value.trim())?.input.focus();
    }

    // Read the answer in a field, and mark all again: an answer that follows from a wrong one above counts.
    answer(i) {
        const {input, mark} = this.fields[i], text = input.value.trim();
        this.fields[i].isStale = false;
        this.answers.delete(i);
        try {
            if (text && this.isOrder) this.order = this.readOrder(text);
            else if (text) this.answers.set(i, this.marker.read(text));
            else this.order = [];
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            input.ariaInvalid = "true";
            mark.className = "mark unread";
            mark.textContent = `${error.message}. No points are lost; try again.`;
            return;
        }
        this.markAll();
    }

    readOrder(text) {
        const {graph} = this.player, names = graph.order.map((p) => graph.nodes[p].short), spelled = spellings(names);
        return split(text, names).map((name) => {
            const place = graph.order[lookUp(name, spelled) ?? names.indexOf(name)];
            if (place === undefined) throw new Refused(`${name} is not visited in the backward pass; the operations are ${listed(names)}`);
            return place;
        });
    }

    markAll() {
        if (this.isOrder) this.marks = this.order.length ? [this.marker.markOrder(this.order)] : [];
        else this.marks = this.marker.mark(this.answers);
        this.fields.forEach(({input, mark, isStale}, i) => {
            const found = this.marks[i];
            if (isStale || mark.matches(".unread") && input.ariaInvalid) return;
            const isAnswered = this.isOrder ? found : this.answers.has(i);
            mark.className = `mark ${!isAnswered ? "" : found.isRight ? "right" : found.points ? "part" : "wrong"}`;
            mark.textContent = isAnswered ? `${found.isRight ? "✓" : "✗"} ${found.sentence}` : "";
        });
        this.tally();
        if (this.isOpen && this.marks.length === this.fields.length && this.marks.every(({isRight}) => isRight)) this.close();
    }

    tally() {
        const {player} = this, of = this.fields.length, points = this.marks.reduce((sum, mark) => sum + mark.points, 0);
        this.score.textContent = `${digits(points, 3)} of ${of} point${of === 1 ? "" : "s"}`;
        const detail = {points, of, diagnoses: this.marks.map(({names}) => names)};
        if (this.marks.length) player.host.dispatchEvent(new CustomEvent("mark", {detail}));
        player.isStale = true;
        player.wake();
    }

    // ---- the picture

    // The text in place of the gradient of a node, or undefined for a node that no question is about.
    cell(place) {
        if (!this.isOpen || this.asked.kind === "local") return undefined;
        if (this.isOrder) return [this.order.includes(place) ? `${this.order.indexOf(place) + 1}.` : ""];
        const i = this.asked.questions.findIndex(({node}) => node === place), {mark, short} = this.player.graph.nodes[place];
        if (i < 0) return undefined;
        return [this.asked.kind === "update" ? `${short} → ${this.blank(i)}` : `${mark} = ${this.blank(i)}`];
    }

    // The text on an edge, from a node to its k-th input.
    edge([p, k]) {
        if (!this.isOpen || this.asked.kind !== "local") return undefined;
        return [this.blank(this.asked.questions.findIndex(({node, place}) => node === p && place === k))];
    }

    blank(i) {
        const answer = this.answers.get(i);
        if (!answer) return "?";
        const text = answer.text.length > LONGEST_BLANK ? this.player.graph.number(answer.value) : answer.text;
        return `${text} ${this.marks[i]?.isRight ? "✓" : "✗"}`;
    }

    // Frame the box of the question that has the focus.
    point(i) {
        const place = i === null || this.isOrder ? null : this.asked.questions[i].node;
        for (const {boxes} of this.player.pictures) {
            for (const {group, ids} of boxes) group.classList.toggle("asked", ids.includes(place));
        }
    }

    // Take a pressed box as the next in an order, or go to the question about it; return whether either was possible.
    enter({ids}) {
        if (!this.isOpen) return false;
        const {order} = this.player.graph;
        if (this.isOrder) {
            const added = ids.toReversed().filter((p) => order.includes(p));
            if (added.length) this.setOrder([...this.order, ...added]);
            return added.length > 0;
        }
        const i = this.asked.questions.findIndex(({node}) => ids.includes(node));
        if (i >= 0) this.fields[i].input.focus();
        return i >= 0;
    }

    // Take an order as the answer, and mark it once it is complete.
    setOrder(order) {
        const {graph} = this.player, [{input, mark}] = this.fields;
        this.order = order;
        input.value = order.map((p) => graph.nodes[p].short).join(", ");
        if (order.length >= graph.order.length) return this.answer(0);
        this.marks = [];
        [mark.className, mark.textContent] = ["mark", ""];
        this.tally();
    }

    // Show the solution, and make the page an ordinary player.
    close() {
        const {player} = this;
        this.isOpen = false;
        this.point(null);
        [this.solution.textContent, this.solution.hidden] = [this.asked.solution, false];
        this.element.querySelector(".give-up").remove();
        player.player.classList.remove("exercising");
        player.find(".mistakes").before(this.element);
        player.version++; // there are more steps now
        player.changeView();
        player.refresh();
        player.find(".play").focus({preventScroll: true}); // the element that had the focus has moved
    }
}
