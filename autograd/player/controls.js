// ---- controls of a player: buttons, keys, the mouse and fingers; its address; scripts

const FEW_LINES = 45; // of text that fit on a page in larger type
const RESERVED = ["step", "example", "view", "compact"]; // names in an address that are not leaves

class Controls {
    constructor(player) {
        this.player = player;
        this.buttons();
        for (const picture of player.pictures) {
            for (const box of picture.boxes) this.listenToBox(box);
            this.listenToStage(picture);
            this.dragNumbers(picture);
        }
        // In a page with one player its keys work everywhere; otherwise they go to the player that has the focus.
        const isAlone = player.host.closest(".autograd-page") && document.querySelectorAll(".autograd-player").length === 1;
        (isAlone ? document : player.host).addEventListener("keydown", (event) => this.press(event));
        new ResizeObserver(() => player.arrange()).observe(player.player);
        this.followMap();
        this.printing();
    }

    on(selector, event, action) {
        for (const element of this.player.all(selector)) element.addEventListener(event, () => action(element));
    }

    buttons() {
        const {player} = this, halted = (action) => (element) => {
            player.pause();
            action(element);
        };
        const actions = {
            first: halted(() => player.seek(0)),
            previous: halted(() => player.seek(player.place - 1)),
            next: halted(() => player.advance()),
            last: halted(() => player.seek(player.last)),
            play: () => (player.isPlaying ? player.pause() : player.play()),
            predict: halted(() => player.quiz.toggle()),
            reveal: halted(() => player.quiz.reveal()),
            whole: () => {
                player.look("nodes");
                player.find(".fit").focus();
            },
            closer: () => this.zoom(1.25),
            farther: () => this.zoom(0.8),
            fit: () => this.fit(),
            full: () => (document.fullscreenElement ? document.exitFullscreen() : player.host.requestFullscreen?.()),
            large: (button) => this.toggleLecture(button),
            learn: () => player.learn(),
            reset: () => player.reset(),
        };
        for (const [name, action] of Object.entries(actions)) this.on(`.${name}`, "click", action);
        this.on(".train", "click", () => {
            player.isTraining = !player.isTraining;
            player.showControls();
            player.wake();
        });
        this.on(".slider", "input", halted(({value}) => player.seek(value)));
        this.on(".rate", "input", (field) => (field.ariaInvalid = String(!Number.isFinite(read(field.value)))));
        this.on(".speed", "change", ({value}) => (player.speed = Number(value)));
        this.on("[data-shows]", "click", ({dataset}) => player.look(dataset.shows));
        this.on(".asks", "change", ({value}) => {
            player.quiz.onlySigns = value === "signs";
            if (player.quiz.isOn) player.quiz.again();
        });
        const examples = player.find(".example");
        examples.hidden = player.graphs.length < 2;
        examples.append(...player.graphs.map((_, i) => made("option", {value: i}, `Example ${i + 1}`)));
        this.on(".example", "change", ({value}) => player.choose(Number(value)));
    }

    zoom(by, at) {
        this.player.picture.camera.zoom(by, at);
        this.player.wake(); // for the map
    }

    fit() {
        const {camera} = this.player.picture;
        camera.isHeld = false;
        camera.aim(this.player.picture.areaOfStep());
        this.player.wake();
    }

    toggleLecture(button) {
        button.ariaPressed = this.player.player.classList.toggle("lecture");
        this.player.arrange();
    }

    // The map below a picture that is only seen in part: press it, or drag along it, to go there.
    followMap() {
        const {player} = this, map = player.find(".map");
        const go = (event) => {
            const {left, top, width, height} = map.getBoundingClientRect(), {whole} = player.picture.camera;
            const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
            player.picture.camera.centre([whole.x + x * whole.width, whole.y + y * whole.height]);
            player.wake();
        };
        map.addEventListener("pointerdown", (event) => {
            event.stopPropagation();
            map.setPointerCapture(event.pointerId);
            go(event);
        });
        map.addEventListener("pointermove", (event) => event.buttons && go(event));
    }

    // ---- keys

    press(event) {
        const target = event.composedPath()[0];
        if (!(target instanceof Element)) return;
        const action = event.ctrlKey || event.altKey || event.metaKey ? null : this.meaning(target, event.key);
        // The page around, such as a slide show, sees only the host as the target, and would take what is typed in a field as its keys.
        if (action || this.uses(target, event.key)) event.stopPropagation();
        if (!action) return;
        event.preventDefault();
        // Held down, it would switch on and off.
        if (!event.repeat || !"flp ".includes(event.key)) action();
    }

    // Whether the element in which a key was pressed uses the key itself.
    uses(target, key) {
        if (target.matches("input[type=range]")) return /^(Arrow|Home|End|Page)/.test(key);
        if (target.matches("input[type=checkbox]")) return key === " ";
        if (target.matches("button, summary")) return key === " " || key === "Enter";
        if (target.matches(".guess") && key === "p") return false; // no number has this letter
        return target.matches("input, select, textarea");
    }

    // The action of a key that was pressed at an element, or null if the player has none for it.
    meaning(target, key) {
        const {player} = this;
        const click = (name) => () => player.find(`.${name}`).click();
        if (target.matches(".guess") && key === "Enter") return click("reveal");
        if (this.uses(target, key)) return null;
        const buttons = {ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", "+": "closer", "-": "farther", 0: "fit",
                         f: "full", l: "large", p: "predict"};
        if (key in buttons) return click(buttons[key]);
        const box = player.picture.boxes.find(({group}) => group === target);
        if (!box) return key === " " ? click("play") : null;
        if (key === "Enter" || key === " ") return () => player.enter(box);
        const boxes = player.picture.boxes.filter(({ids}) => ids.length).sort((a, b) => a.ids[0] - b.ids[0]);
        const at = boxes.indexOf(box);
        if (key === "ArrowUp") return () => player.focus(boxes.at(at - 1));
        if (key === "ArrowDown") return () => player.focus(boxes[(at + 1) % boxes.length]);
        return null;
    }

    // ---- the picture

    listenToBox(box) {
        const {player} = this, {group, ids} = box;
        if (!ids.length) return;
        group.addEventListener("click", () => this.isDragged || player.enter(box));
        for (const event of ["focus", "pointerenter"]) group.addEventListener(event, () => player.point(ids[0]));
        for (const event of ["blur", "pointerleave"]) group.addEventListener(event, () => player.point(null));
    }

    // Drag the picture, pinch it, or turn the wheel.
    listenToStage({stage, camera}) {
        const fingers = new Map();
        const where = ({clientX, clientY}) => {
            const {left, top, width, height} = stage.getBoundingClientRect();
            return [(clientX - left) / width, (clientY - top) / height];
        };
        stage.addEventListener("pointerdown", (event) => {
            this.isDragged = false;
            if (event.button || event.target.closest("button") || event.defaultPrevented) return;
            fingers.set(event.pointerId, event);
        });
        stage.addEventListener("pointermove", (event) => {
            const last = fingers.get(event.pointerId);
            if (!last || !event.buttons) return;
            const [other] = [...fingers.values()].filter((each) => each.pointerId !== event.pointerId);
            const apart = (each, {clientX, clientY}) => Math.hypot(each.clientX - clientX, each.clientY - clientY) || 1;
            if (other) {
                this.zoom(apart(event, other) / apart(last, other), where(event));
            } else {
                if (!this.isDragged && apart(event, last) < 4) return;
                if (!this.isDragged) stage.setPointerCapture(event.pointerId);
                const [x, y] = where(last), [u, v] = where(event);
                camera.pan(u - x, v - y);
                this.player.wake();
            }
            this.isDragged = true;
            fingers.set(event.pointerId, event);
        });
        for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, ({pointerId}) => fingers.delete(pointerId));
        // In a page of its own the wheel zooms.  In others it scrolls the page, and zooms with Ctrl, as a touchpad's pinch does.
        const isOwn = this.player.host.matches(".autograd-page *");
        stage.addEventListener("wheel", (event) => {
            if (!isOwn && !event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            this.zoom(Math.exp(-event.deltaY / 400), where(event));
        }, {passive: false});
    }

    // A leaf is changed by dragging its box, a weight by dragging its number.
    dragNumbers({stage, boxes, arrows}) {
        const {player} = this, example = Number(stage.dataset.example);
        const leafOf = new Map(); // the leaves of this example, by their places
        player.leaves.forEach(({places}, leaf) => {
            for (const [g, place] of places) if (g === example) leafOf.set(place, leaf);
        });
        const handles = boxes.filter(({ids}) => ids.length === 1).map(({group, ids}) => [group, ids[0]]);
        for (const {label, weighs} of arrows) {
            if (!label || !weighs) continue;
            const [p, k] = weighs;
            handles.push([label, player.graphs[example].nodes[p].inputs[k]]);
        }
        for (const [handle, place] of handles) {
            if (!leafOf.has(place)) continue;
            handle.classList.add("draggable");
            handle.addEventListener("pointerdown", () => (this.isDragged = false));
            player.fields.drag(handle, leafOf.get(place), () => (this.isDragged = true));
        }
    }

    // On paper: the end of the walk, and the text of every step at the current numbers.
    printing() {
        // Weak, so that a page with one player after another can free the old ones.
        const held = new WeakRef(this.player);
        const on = (event, action) => addEventListener(event, () => held.deref()?.host.isConnected && action(held.deref()));
        let seen = null; // the part of the picture that the camera showed before
        on("beforeprint", (player) => {
            const {exercise, graph, steps, last, step, picture: {camera}} = player;
            seen = {...camera.seen};
            // A step that stands out would hide its weights.
            player.onPaper = step && {...player.sceneAt(last, 1), node: null};
            player.draw(Infinity);
            camera.show(camera.whole);
            const text = exercise?.isOpen ? exercise.asked.text : steps.map((_, i) => graph.stepText(i, steps)).join("\n");
            player.find(".text").textContent = text;
            player.find(".text").classList.toggle("short", text.split("\n").length <= FEW_LINES);
        });
        on("afterprint", (player) => {
            player.onPaper = null;
            player.draw(Infinity);
            player.picture.camera.show(seen);
        });
    }
}

// The address of a page with one player, such as #step=7&w=0.7&example=2; the page follows it and keeps it up to date.
class Address {
    constructor(player) {
        // An exercise starts at the end of the forward pass.
        Object.assign(this, {player, start: player.place});
        this.isOurs = player.host.matches(".autograd-page *");
        if (this.isOurs) addEventListener("hashchange", () => this.read());
    }

    // The leaves that an address can name, with their places.
    leaves() {
        const {leaves} = this.player;
        return [...leaves.entries()].filter(([i, {name}]) => !RESERVED.includes(name) && this.player.leafCalled(name) === i);
    }

    read() {
        if (!this.isOurs) return;
        const {player} = this, given = [...new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"))];
        const {step = this.start, example = 1, view = player.stages[0].dataset.view, compact, ...numbers} = Object.fromEntries(given);
        player.isCompact = compact !== undefined;
        player.arrange();
        if (example - 1 !== player.example && player.graphs[example - 1]) player.choose(example - 1);
        // Leaves that are not named get their first numbers.
        const meant = new Map(this.leaves().map(([i, {value}]) => [i, value]));
        for (const [name, text] of Object.entries(numbers)) {
            const leaf = player.leafCalled(name);
            if (leaf >= 0 && Number.isFinite(read(text))) meant.set(leaf, read(text));
        }
        const changed = [...meant].filter(([i, x]) => !Object.is(x, player.numberOf(player.leaves[i])));
        if (changed.length) player.change(new Map(changed));
        if (view !== player.view && player.all("[data-shows]").some(({dataset}) => dataset.shows === view)) player.look(view);
        if (isFinite(step)) player.seek(step);
    }

    writeSoon() {
        if (!this.isOurs) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.write(), 300);
    }

    write() {
        const {player} = this, state = new URLSearchParams({step: player.place});
        if (player.example) state.set("example", player.example + 1);
        if (player.view !== player.stages[0].dataset.view) state.set("view", player.view);
        if (player.isCompact) state.set("compact", "");
        for (const [, leaf] of this.leaves()) {
            const x = player.numberOf(leaf);
            if (!Object.is(x, leaf.value)) state.set(leaf.name, x);
        }
        const hash = `#${state}`.replaceAll("+", "%20"); // so that a plus sign, as in 1e+5, is read as one
        if (hash === location.hash || hash.length > 2000) return;
        try {
            history.replaceState(null, "", hash);
        } catch {
            // A page without an address of its own, such as a srcdoc frame.
        }
    }
}

// The interface for scripts: the property `player` of a player's element.
class Interface {
    #player;

    constructor(player) {
        this.#player = player;
    }

    // Give leaves new numbers by their names, as in set({w: 0.7}); values and gradients follow at once.
    set(numbers) {
        const player = this.#player, found = new Map();
        for (const [name, x] of Object.entries(numbers)) {
            const leaf = player.leafCalled(name);
            if (leaf < 0) throw this.#unknown("leaf", "leaves", name, player.leaves.map((each) => each.name));
            if (typeof x !== "number") throw new TypeError(`${name} needs a number, not ${x}`);
            found.set(leaf, x);
        }
        player.change(found);
    }

    #place(name) {
        const {nodes} = this.#player.graph;
        const place = nodes.findIndex((node) => node.short === name || node.name === name);
        if (place < 0) throw this.#unknown("node", "nodes", name, nodes.map((node) => node.short));
        return place;
    }

    #unknown(one, many, name, names) {
        return new RangeError(`no ${one} is called ${name}; the ${many} are ${names.join(", ")}`);
    }

    value(name) {
        return this.#player.graph.values[this.#place(name)];
    }

    gradient(name) {
        return this.#player.graph.gradients[this.#place(name)];
    }

    get step() {
        return this.#player.place;
    }

    get steps() {
        return this.#player.last + 1;
    }

    goto(step) {
        this.seek(step);
    }

    // Go to the moment when a part t of a step is over, from 0 to 1.
    seek(step, t = 1) {
        for (const x of [step, t]) {
            if (typeof x !== "number" || Number.isNaN(x)) throw new TypeError(`a step and a part of it are numbers, not ${x}`);
        }
        this.#player.pause();
        this.#player.isFrozen = t < 1;
        this.#player.seek(step, clamp(t, 0, 1));
    }

    play() {
        this.#player.isFrozen = false;
        this.#player.play();
    }

    pause() {
        this.#player.pause();
    }

    learn(times = 1) {
        this.#player.learn(times);
    }

    reset() {
        this.#player.reset();
    }
}

// The data of a page as JSON; those of an exercise are in base64, so that no answer is read by accident.
function decoded(text) {
    return text.startsWith("{") ? text : new TextDecoder().decode(Uint8Array.from(atob(text), (c) => c.codePointAt(0)));
}

// Start the players that this script belongs to: those that were printed with the same rows.
function start(key, rows) {
    for (const host of document.querySelectorAll(".autograd-player")) {
        if (host.dataset.script !== key || host.player) continue;
        const markup = host.querySelector(":scope > .markup");
        if (markup) host.attachShadow({mode: "open"}).innerHTML = JSON.parse(markup.textContent);
        else if (!host.shadowRoot) host.attachShadow({mode: "open"}).append(host.querySelector(":scope > template").content);
        new Player(host, JSON.parse(decoded(host.shadowRoot.querySelector(".data").textContent)), rows);
    }
}
