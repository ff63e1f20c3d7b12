// ---- the player: its place in the walk, numbers, time and views

const STEP = 1300; // milliseconds that the dots of a step need
const REST = 600; // milliseconds after that, while it plays
const TEXTS = [6, 40]; // written per frame while numbers change, at least and at most: writing costs more than computing
const NARROW = 760; // pixels: the width up to which a window has one column
const TALLEST = 0.5; // the part of the height of such a window for the picture
const SMALL = 480; // pixels: a frame lower than this shows only the essential parts
const calm = matchMedia("(prefers-reduced-motion: reduce)");

class Player {
    // host: the element of the page; its data, from Python: graphs, the leaves that learn, descriptions of the mistakes, and
    // the stages of other layouts as HTML; or only the reason why the page stays still.
    constructor(host, {graphs, learn, mistakes, layouts, exercise = null, reason = ""}, rows) {
        this.host = host;
        this.root = host.shadowRoot;
        this.player = this.find(".player");
        if (reason) return void this.refuse(reason);
        this.graphs = graphs.map((data) => new Graph(data, rows));
        this.example = this.place = 0;
        this.leaves = this.leavesOf(graphs);
        this.t = this.speed = 1;
        this.budget = TEXTS[1];
        this.isPlaying = this.isTraining = this.isFrozen = this.isBuilt = false;
        this.rest = this.drawn = 0; // milliseconds since the step was over; the time of the last frame
        this.taken = this.due = 0; // steps of gradient descent
        this.quiz = new Quiz(this);
        const spare = made("template"); // holds the layouts that are not shown at first
        spare.innerHTML = layouts.join("");
        this.stages = [...this.all(".stages > .stage"), ...spare.content.children];
        this.originals = new Map(this.stages.map((stage) => [stage, stage.firstElementChild.cloneNode(true)]));
        this.pictures = this.stages.map((stage) => new Picture(stage, this.graphs[Number(stage.dataset.example)]));
        this.view = this.stages[0].dataset.view;
        this.opened = this.pointed = null; // the nodes of the neuron that was opened; the node that is pointed at
        this.layout = this.version = 0; // the version counts changes of numbers
        const wrong = this.graphs.map((graph) => graph.check()).find(Boolean);
        if (wrong) return void this.refuse(`The numbers of this page differ from Python's, so it stays still: ${wrong}.`);
        this.exercise = exercise && new Exercise(this, exercise, new Graph(graphs[0], rows));
        this.card = new Card(this.find(".card"));
        this.ledger = new Ledger(this.find(".ledger"));
        this.curve = new Curve(this.find(".curve"));
        const learned = new Set(learn), listed = this.leaves.map(({name, value}, i) => ({name, value, isLearned: learned.has(i)}));
        const [numberAt, change] = [(i) => this.numberOf(this.leaves[i]), (i, x) => this.change(new Map([[i, x]]))];
        this.fields = new Leaves(this.find(".leaves"), listed, numberAt, change);
        this.mistakes = new Mistakes(this, mistakes);
        for (const part of this.all(".bar, .desk, .keys, .tools, .mistakes")) part.hidden = false;
        this.player.dataset.ready = "";
        this.curve.start(this.loss);
        this.arrange();
        new Controls(this);
        host.player = new Interface(this);
        this.address = new Address(this);
        this.address.read();
        this.seek(this.place, 1);
        this.refresh();
    }

    find(selector) {
        return this.root.querySelector(selector);
    }

    all(selector) {
        return [...this.root.querySelectorAll(selector)];
    }

    refuse(reason) {
        this.find(".problem").textContent = reason;
        this.find(".problem").hidden = false;
    }

    // The leaves of all examples, each with its places in their graphs.
    leavesOf(graphs) {
        const leaves = [];
        graphs.forEach(({nodes}, g) => nodes.forEach(({leaf, name, short}, place) => {
            if (leaf === undefined) return;
            leaves[leaf] ??= {name: short ?? name, full: name, value: this.graphs[g].values[place], places: []};
            leaves[leaf].places.push([g, place]);
        }));
        return leaves;
    }

    // The index of the leaf with a name, in the present example if it has one, or -1.
    leafCalled(name) {
        const isCalled = (leaf) => leaf.name === name || leaf.full === name;
        const here = this.leaves.findIndex((leaf) => isCalled(leaf) && leaf.places.some(([g]) => g === this.example));
        return here < 0 ? this.leaves.findIndex(isCalled) : here;
    }

    get graph() {
        return this.graphs[this.example];
    }

    get steps() {
        if (this.listed?.graph !== this.graph || this.listed.version !== this.version) {
            const {steps, order} = this.graph, known = this.exercise?.isOpen ? steps.slice(0, order.length) : steps;
            this.listed = {graph: this.graph, version: this.version, steps: known, moments: new Map()};
        }
        return this.listed.steps;
    }

    get step() {
        return this.steps[this.place];
    }

    // The place of the last step, or -1 if there is none, as for a result that is a leaf.
    get last() {
        return this.steps.length - 1;
    }

    // The picture of the present view and example, in the layout that suits the window.
    get picture() {
        return this.layouts[this.layout] ?? this.layouts[0];
    }

    // The same picture, folded into lines of different widths.
    get layouts() {
        return this.pictures.filter(({stage}) => stage.dataset.view === this.view && Number(stage.dataset.example) === this.example);
    }

    // The mean of the losses of all examples.
    get loss() {
        return this.graphs.reduce((sum, graph) => sum + graph.values[graph.loss], 0) / this.graphs.length;
    }

    // ---- showing a moment

    momentAt(i) {
        const steps = this.steps, {moments} = this.listed;
        if (!moments.has(i)) {
            if (moments.size > 8) moments.clear();
            moments.set(i, this.graph.moment(i, steps));
        }
        return moments.get(i);
    }

    // The scene of a step when a part t of it is over.
    sceneAt(i, t, isRevealed = true) {
        const {phase, node} = this.steps[i], hasArrived = t >= ARRIVES && isRevealed;
        const scene = {phase, node, t: isRevealed ? t : 1, isRevealed, ...this.momentAt(hasArrived ? i : i - 1)};
        if (phase === "backward" && !scene.arrived.size && !this.graph.problem) scene.arrived = new Map([[this.graph.loss, 1]]);
        return scene;
    }

    // Go to a moment and draw it at once.
    seek(place, t = 1) {
        this.moveTo(place, t);
        this.draw(Infinity);
    }

    moveTo(place, t) {
        const at = clamp(Math.round(place), 0, Math.max(this.last, 0)), isNew = at !== this.place;
        [this.place, this.t] = [at, t];
        if (isNew) this.quiz.start();
        if (isNew || !this.isBuilt) this.build();
        if (isNew) this.notify();
    }

    // Build the panels of a step again.
    build() {
        this.isBuilt = true;
        this.quiz.fields = [];
        if (this.step) this.card.show(this.graph, () => this.steps, this.place, this.quiz.isAsking ? this.quiz : null);
        else this.card.clear();
        this.showLedger();
        const {phase, index, count} = this.step ?? {phase: "forward", index: 0, count: 0}, slider = this.find(".slider");
        const where = phase === "forward" ? `forward ${index}/${count} →` : `← backward ${index}/${count}`;
        this.player.dataset.phase = phase;
        slider.max = Math.max(this.last, 0);
        slider.value = this.place;
        slider.ariaValueText = `${phase} ${index}/${count}`;
        this.find(".where").textContent = where;
        this.announce();
        this.showControls();
    }

    // For screen readers: the text of the step, or the question.
    announce() {
        if (!this.step) return;
        const {phase, index, count, node} = this.step, {graph} = this;
        const question = `${phase} ${index}/${count}: ${graph.nodes[node].short} = ${graph.formula(node)}. Predict, then reveal.`;
        this.find(".live").textContent = this.quiz.isAsking ? question : graph.stepText(this.place, this.steps);
    }

    showControls() {
        const {isPlaying} = this, atEnd = this.place >= this.last && !this.quiz.isAsking;
        this.find(".play").classList.toggle("playing", isPlaying);
        this.find(".play").ariaLabel = isPlaying ? "Pause" : "Play";
        this.find(".predict").ariaPressed = this.quiz.isOn;
        this.find(".reveal").hidden = !this.quiz.isAsking;
        this.find(".train").ariaPressed = this.isTraining;
        this.find(".whole").hidden = this.opened === null;
        this.find(".card").classList.toggle("asking", this.quiz.isAsking);
        for (const button of this.all("[data-shows]")) button.ariaPressed = button.dataset.shows === this.view;
        for (const button of this.all(".first, .previous")) button.ariaDisabled = this.place === 0;
        for (const button of this.all(".next, .last")) button.ariaDisabled = atEnd;
    }

    // Draw the present moment, with at most `budget` of its texts; the rest follow in the next frames.
    draw(budget = this.budget) {
        const {picture} = this;
        this.scene = this.present;
        picture.render(this.scene, this.opened);
        const left = picture.write(budget);
        this.ledger.refresh();
        if (!left) {
            picture.nameBoxes();
            const placeOf = (i) => this.leaves[i].places.find(([g]) => g === this.example)?.[1];
            const isOver = this.graphs.length === 1 && this.place === this.last;
            this.fields.showGradients(this.scene, this.graph, placeOf);
            this.find(".advice").textContent = isOver ? this.fields.advice(this.scene, this.graph, placeOf) : "";
        }
        picture.camera.aim(picture.areaOfStep());
        if (budget === Infinity && !this.isPlaying) picture.camera.move();
        this.isStale = left > 0;
        this.wake();
    }

    // The scene of the present moment, or the one that is printed.
    get present() {
        if (this.step) return this.onPaper ?? this.sceneAt(this.place, this.t, !this.quiz.isAsking);
        const {loss} = this.graph, all = new Set([loss]); // the result is a leaf
        return {phase: "forward", node: loss, t: 1, known: all, arrived: new Map([[loss, 1]]), complete: all, flowed: new Map()};
    }

    // Show the ledger of the node that is pointed at, or else of the step.
    showLedger() {
        const place = this.pointed ?? this.step?.node ?? this.graph.loss;
        this.ledger.show(this.graph, place, () => this.scene ?? this.present);
    }

    point(place) {
        if (place === this.pointed) return;
        this.pointed = place;
        this.showLedger();
    }

    // ---- time

    wake() {
        this.frame ??= requestAnimationFrame((now) => this.tick(now));
    }

    // One frame: let time pass, learn, move the camera, write the remaining texts.
    tick(now) {
        this.frame = null;
        if (!this.host.isConnected) return; // `arrange` goes on when it is put back
        const passed = Math.min(now - (this.now ?? now), 100);
        const isRunning = this.isPlaying || (this.t < 1 && !this.isFrozen) || this.isTraining;
        this.now = isRunning ? now : null;
        this.pace(now);
        if (this.isTraining) this.train(passed);
        if (this.t < 1 && !this.isFrozen) {
            this.t = Math.min(this.t + (passed * this.speed) / STEP, 1);
            this.isStale = true;
        } else if (this.isPlaying) {
            this.rest += passed * this.speed;
            if (this.rest > REST + (calm.matches ? STEP : 0)) this.advance();
        }
        const isMoving = this.picture.camera.move(calm.matches ? 1 : 0.2);
        if (this.isStale) this.draw();
        this.picture.camera.drawMap(this.find(".map"), this.picture.boxes, this.scene.node);
        if (isMoving || isRunning) this.wake();
    }

    // Write fewer texts per frame when frames take too long.
    pace(now) {
        const passed = now - this.drawn;
        if (passed < 200) this.budget = clamp(passed > 22 ? this.budget * 0.8 : this.budget + 1, ...TEXTS);
        this.drawn = now;
    }

    // Go one step on, with its dots; if a question is open, reveal it instead.
    advance() {
        this.rest = 0;
        if (this.quiz.isAsking) return this.quiz.reveal();
        if (this.place >= this.last) return this.pause();
        this.isFrozen = false;
        this.moveTo(this.place + 1, this.quiz.isOn || calm.matches ? 1 : 0);
        this.draw(Infinity);
        if (this.quiz.isAsking && this.root.activeElement?.matches(".next")) this.quiz.focus();
    }

    play() {
        if (this.last < 0) return;
        this.isPlaying = true;
        this.rest = 0;
        const isAtRest = !this.quiz.isAsking && this.t === 1, first = calm.matches || this.quiz.isOn ? 1 : 0;
        if (isAtRest && [0, this.last].includes(this.place)) this.seek(0, first);
        this.showControls();
        this.wake();
    }

    pause() {
        this.isPlaying = false;
        this.showControls();
    }

    // ---- numbers

    numberOf({places: [[g, place]]}) {
        return this.graphs[g].values[place];
    }

    // Give some leaves new numbers; everything follows, and the step stays.
    change(numbers) {
        if (this.exercise?.isOpen) return; // its numbers are given
        const touched = new Set();
        for (const [leaf, x] of numbers) for (const [g, place] of this.leaves[leaf].places) {
            this.graphs[g].set(place, x);
            touched.add(g);
        }
        for (const g of touched) this.graphs[g].compute();
        this.version++;
        this.warn();
        this.isStale = true;
        this.wake();
        this.refreshSoon();
        this.notify();
    }

    // Name the node at which the graph has no value, if there is one.
    warn() {
        const {problem, nodes} = this.graph, line = this.find(".problem");
        line.hidden = problem === null;
        if (!problem) return;
        const {short} = nodes[problem.place];
        line.textContent = `${problem.text} (${short}). The nodes that depend on it are undefined, too.`;
    }

    // Rewrite panels once per frame, however often numbers change.
    refreshSoon() {
        this.refreshing ??= requestAnimationFrame(() => this.refresh());
    }

    refresh() {
        this.refreshing = null;
        this.card.refresh();
        this.fields.show(this.root.activeElement);
        const name = this.graphs.length === 1 ? this.graph.nodes[this.graph.loss].short : "mean loss";
        const steps = this.curve.losses.length > 1 ? `, ${this.taken} step${this.taken === 1 ? "" : "s"}` : "";
        this.find(".losses").textContent = `${name} ${this.graph.number(this.loss)}${steps}`;
        this.mistakes.refresh();
        this.announce();
    }

    reset() {
        this.isTraining = false;
        this.taken = 0;
        this.change(new Map(this.leaves.map(({value}, i) => [i, value])));
        this.curve.start(this.loss);
        this.showControls();
    }

    // One step of gradient descent on the leaves that are ticked; the gradient is the mean over the examples.
    descend() {
        const rate = read(this.find(".rate").value), numbers = new Map();
        for (const leaf of this.fields.learned) {
            const sum = this.leaves[leaf].places.reduce((total, [g, place]) => total + this.graphs[g].gradients[place], 0);
            numbers.set(leaf, this.numberOf(this.leaves[leaf]) - (rate * sum) / this.graphs.length);
        }
        return numbers;
    }

    learn(times = 1) {
        for (let i = 0; i < times; i++) {
            const numbers = this.descend();
            if (![...numbers.values()].every(Number.isFinite)) {
                this.isTraining = false;
                break;
            }
            this.taken++;
            this.change(numbers);
            this.curve.add(this.loss);
        }
        this.curve.draw();
        this.showControls();
    }

    train(passed) {
        this.due = Math.min(this.due + (passed * this.speed) / 40, 50);
        const times = Math.floor(this.due);
        this.due -= times;
        if (times) this.learn(times);
    }

    notify() {
        this.host.dispatchEvent(new CustomEvent("change", {detail: {step: this.place, loss: this.loss}}));
        this.address?.writeSoon();
    }

    // ---- views

    look(view) {
        this.view = view;
        this.opened = null;
        this.picture.camera.isHeld = false;
        this.changeView();
    }

    choose(example) {
        this.example = this.find(".example").value = example;
        this.opened = null; // places in another graph
        this.place = clamp(this.place, 0, Math.max(this.last, 0)); // another example may have fewer steps
        this.warn();
        this.changeView();
        this.refresh();
    }

    changeView() {
        this.pointed = null;
        this.arrange();
        this.build();
        this.draw(Infinity);
        this.notify();
    }

    // Fit the picture to the window, in the layout and with the desk on the side (below or right) that make its text largest.
    arrange() {
        if (!this.host.isConnected) return; // it was taken out of its page, which changes its size as well
        const {clientWidth: width} = this.player, height = innerHeight;
        const isScreen = this.host.matches(".autograd-page *, :fullscreen");
        this.player.toggleAttribute("data-screen", isScreen);
        const isSmall = isScreen && height < SMALL && window.parent !== window; // a low window that is not a frame can be scrolled
        this.player.classList.toggle("compact", this.isCompact || isSmall);
        const {desk, layout, isWhole} = this.bestLayout(width, height, isScreen), isOther = layout !== this.layout;
        const held = parseInt(this.root.activeElement?.dataset.nodes); // the node of a box that has the focus
        this.layout = layout;
        this.player.dataset.desk = desk;
        const {stage, boxes, camera} = this.picture, {whole} = camera;
        const fitting = clamp((width * whole.height) / whole.width, 240, TALLEST * height);
        this.find(".screen").style.setProperty("--stage", `${Math.round(isWhole ? fitting : 0.38 * height)}px`);
        if (!stage.isConnected) this.layouts.find((each) => each.stage.isConnected).stage.replaceWith(stage);
        for (const each of this.stages) each.hidden = each !== stage;
        camera.resize(stage);
        camera.aim(this.picture.areaOfStep());
        camera.move();
        this.wake();
        if (isOther && this.isBuilt) {
            this.point(null); // the box that was pointed at is gone
            this.draw(Infinity);
        }
        const box = boxes.find(({ids}) => ids.includes(held));
        if (box && !stage.contains(this.root.activeElement)) this.focus(box);
    }

    // The layout, and the side for the desk, that make text largest; the first ones if no picture can be read as a whole, which
    // is then followed step by step.
    bestLayout(width, height, isScreen) {
        // Pixels, as in player.css: below, the bar and the desk take 290; at the side, the desk takes 416; in other pages a stage has 352.
        const isLecture = this.player.matches(".lecture"), below = isLecture ? 0.32 * height + 54 : 290;
        const most = width <= NARROW ? TALLEST * height : height - below;
        const rooms = [["below", width, isScreen ? most : 352]]; // of the stage, in pixels
        if (isScreen && width > 900 && !isLecture) rooms.push(["side", width - 416, height - 60]);
        const tries = this.layouts.flatMap(({camera}, layout) =>
            rooms.map(([desk, ...room]) => ({desk, layout, size: camera.sizeIn(...room)})));
        const best = tries.reduce((found, each) => (each.size > 1.02 * found.size ? each : found));
        const isWhole = best.size >= LEGIBLE;
        return {...(isWhole ? best : tries[0]), isWhole};
    }

    // A neuron opens into its nodes; any other box leads to its step.
    enter(box) {
        if (this.exercise?.enter(box)) return;
        const {ids} = box, inputs = ids.flatMap((place) => this.graph.nodes[place].inputs);
        this.pause();
        if (box.group.matches(".neuron") && this.all('[data-view="nodes"]').length) {
            this.view = "nodes";
            this.opened = new Set([...ids, ...inputs]);
        }
        this.moveTo(this.stepOf(ids[0]) ?? this.place, 1);
        this.changeView();
        if (this.opened) {
            const parts = this.picture.boxes.filter(({ids}) => ids.some((place) => this.opened.has(place)));
            this.picture.camera.approach(unite(parts.map(({area}) => area)));
        }
        this.point(ids[0]);
        this.focus(this.picture.boxes.find((each) => each.ids.includes(ids[0])));
    }

    focus(box) {
        for (const {group} of this.picture.boxes) if (group.hasAttribute("tabindex")) group.tabIndex = group === box.group ? 0 : -1;
        box.group.focus({preventScroll: true});
        if (!this.opened) this.picture.camera.aim(box.area);
        this.wake();
    }

    // The stage whose picture shows every node; of a large network, every neuron.
    get stageOfNodes() {
        const own = this.stages.filter(({dataset}) => Number(dataset.example) === this.example);
        return own.find(({dataset}) => dataset.view === "nodes") ?? own[0];
    }

    // In this phase, the step of a node; for a leaf the first that uses it, or the last that adds to its gradient.
    stepOf(place) {
        const phase = this.step?.phase, uses = (node) => this.graph.nodes[node].inputs.includes(place);
        const places = [...this.steps.keys()].filter((i) => this.steps[i].phase === phase);
        const own = places.find((i) => this.steps[i].node === place), using = places.filter((i) => uses(this.steps[i].node));
        return own ?? using.at(phase === "forward" ? 0 : -1);
    }
}
