// ---- one picture of a graph: its cells, its arrows, the dots that travel on them
//
// Python has drawn it with room for every number.  Its content depends only on a scene: a step, how far it has gone, and the
// state of the graph.  So any moment can be shown at once, and always looks the same.

const LEAVES = 0.12, ARRIVES = 0.85; // when, as parts of a step, its dots leave and arrive
const SATURATED = 0.05; // the slope of a unit below which hardly anything flows through it
const EM = 14; // the size of text, in the units of the picture
const LINE = 14; // from one line of text to the next
const HEAD = 8; // the length of an arrowhead
const TOUCH = 5; // how much two texts may overlap in height and still be read
const SVG = "http://www.w3.org/2000/svg";

const placesOf = (text) => (text ? text.split(/[ .]/).map(Number) : []);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) ** 2);
const widthOf = (n) => n * 0.6 * EM; // about the width of n characters
const signOf = (x) => (x > 0 ? "plus" : x < 0 ? "minus" : x === 0 ? "zero" : "unknown");
// The width of a line, logarithmic, in steps: a width that changes with every number would cost a layout in every frame.
const thickness = (x) => (x ? 1.2 + 0.4 * clamp(Math.round(2 * Math.log10(Math.abs(x)) + 6), 0, 10) : 1.2);

// Write only changes: even the same value, written again, costs a layout.
function put(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// Narrow a line that is wider than its room.  Measured on a canvas, it needs no layout of the page.
let ruler = null;
function squeeze(line, room) {
    ruler ??= document.createElement("canvas").getContext("2d");
    ruler.font = getComputedStyle(line).font;
    put(line, "lengthAdjust", "spacingAndGlyphs");
    if (ruler.measureText(line.textContent).width > room) put(line, "textLength", String(room));
    else line.removeAttribute("textLength");
}

function drawn(tag, attributes, parent) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return parent ? parent.appendChild(element) : element;
}

// The smallest area around several; null around none.
function unite(areas) {
    if (!areas.length) return null;
    const x = Math.min(...areas.map((each) => each.x)), y = Math.min(...areas.map((each) => each.y));
    const right = Math.max(...areas.map((each) => each.x + each.width));
    const bottom = Math.max(...areas.map((each) => each.y + each.height));
    return {x, y, width: right - x, height: bottom - y};
}

class Arrow {
    constructor(group, label) {
        const edge = (text) => (text ? placesOf(text) : null);
        this.group = group;
        this.label = label;
        [this.path, this.head] = group.children;
        this.flow = edge(group.dataset.flow); // [p, k]: from node p to its k-th input
        this.weighs = edge(group.dataset.weighs); // the same for the weight on the arrow
        this.isWeight = label?.matches(".weight") ?? false;
        this.from = placesOf(group.dataset.from);
        this.to = placesOf(group.dataset.to);
        const numbers = (text) => text.match(/-?[\d.]+/g).map(Number);
        const points = (text) => numbers(text).flatMap((x, i, all) => (i % 2 ? [[all[i - 1], x]] : []));
        const curve = points(this.path.getAttribute("d")), tip = points(this.head.getAttribute("points"))[1];
        const [start, next] = curve, length = Math.hypot(next[0] - start[0], next[1] - start[1]) || 1;
        const base = start.map((x, i) => x + ((next[i] - x) / length) * Math.min(HEAD, length));
        const written = ([first, ...rest]) => `M${first}C${rest.join(" ")}`;
        const middle = curve.slice(1, -1);
        this.shapes = {
            forward: {d: written(curve), base: curve.at(-1), tip},
            backward: {d: written([tip, ...middle.toReversed(), base]), base, tip: start},
        };
        this.way = drawn("path", {d: written([start, ...middle, tip])}); // from end to end, for the dots
    }

    get length() {
        return (this.measured ??= this.way.getTotalLength());
    }

    // Point the arrow in the direction of a phase; its head is wider than its line.
    turn(phase, width) {
        const {d, base, tip} = this.shapes[phase], half = Math.max(3.4, 0.9 * width + 1.6);
        const length = Math.hypot(tip[0] - base[0], tip[1] - base[1]) || 1;
        const u = ((tip[1] - base[1]) / length) * half, v = (-(tip[0] - base[0]) / length) * half;
        put(this.path, "d", d);
        put(this.path, "stroke-width", width.toFixed(1));
        put(this.head, "points", `${base[0] + u},${base[1] + v} ${tip} ${base[0] - u},${base[1] - v}`);
    }
}

class Picture {
    // stage: the element around the SVG; graph: a Graph.
    constructor(stage, graph) {
        this.stage = stage;
        this.graph = graph;
        this.svg = stage.querySelector(".graph");
        const groups = [...this.svg.children], labels = groups.filter((each) => each.matches(".label"));
        this.arrows = groups.filter((each) => each.matches(".arrow")).map((group) => {
            const {flow, weighs} = group.dataset;
            const own = (each) => (flow ? each.dataset.flow === flow : weighs && each.dataset.weighs === weighs);
            return new Arrow(group, labels.find(own) ?? null);
        });
        this.boxes = groups.filter((each) => each.matches(".box")).map((group) => this.boxOf(group));
        this.cells = [
            ...this.boxes.flatMap((box) => box.lines.map((line) => ({...line, box}))),
            ...this.arrows.flatMap((arrow) => [...(arrow.label?.children ?? [])].map((text, i) => ({text, arrow, i}))),
        ];
        for (const cell of this.cells) {
            const [x, y] = ["x", "y"].map((name) => Number(cell.text.getAttribute(name)));
            Object.assign(cell, {x, y, first: cell.text.textContent, shown: cell.text.textContent, sign: ""});
        }
        this.dots = drawn("g", {class: "dots"}, this.svg);
        this.pool = [];
        const [x, y, width, height] = this.svg.getAttribute("viewBox").split(" ").map(Number);
        this.camera = new Camera(this.svg, {x: x + 4, y: y - 12, width: width - 8, height: height + 24});
    }

    boxOf(group) {
        const lines = [...group.querySelectorAll("text")].map((text) => {
            const place = (name) => (text.dataset[name] === undefined ? null : Number(text.dataset[name]));
            return {text, value: place("value"), gradient: place("gradient"), name: text.dataset.name};
        });
        const shape = group.querySelector("rect, ellipse"), unit = group.dataset.unit;
        return {
            group,
            lines,
            ids: placesOf(group.dataset.nodes),
            hidden: placesOf(group.dataset.hidden),
            unit: unit === undefined ? null : Number(unit),
            room: Number(group.dataset.width) - 8,
            area: shape ? this.areaOf(shape) : null,
        };
    }

    areaOf(shape) {
        const number = (name) => Number(shape.getAttribute(name));
        if (shape.matches("rect")) return {x: number("x"), y: number("y"), width: number("width"), height: number("height")};
        const [rx, ry] = [number("rx"), number("ry")];
        return {x: number("cx") - rx, y: number("cy") - ry, width: 2 * rx, height: 2 * ry};
    }

    // ---- showing a scene

    // The text of a cell in this scene, and the number that gives it its colour.
    contentOf({box, arrow, i, value, gradient, name, first}) {
        const {graph, scene} = this, {known, arrived} = scene;
        if (arrow) return arrow.isWeight ? this.contentOfWeight(arrow, i, first) : this.contentOfFlow(arrow);
        if (value !== null) return [known.has(value) ? `${name} = ${graph.number(graph.values[value])}` : name];
        if (gradient === null) return [first];
        const blank = this.blanks?.cell(gradient); // in an exercise
        if (blank) return blank;
        if (arrived.has(gradient)) return [graph.arrivedText(gradient, scene), arrived.get(gradient)];
        const out = box.ids[1]; // of a neuron, whose net input has no gradient yet
        if (!arrived.has(out)) return [""];
        return [`∂${box.lines.find((line) => line.value === out).name} = ${graph.number(arrived.get(out))}`, arrived.get(out)];
    }

    // On an arrow without a weight: what has flowed back along it, or at its step the product.
    contentOfFlow({flow}) {
        const {graph} = this, blank = flow && this.blanks?.edge(flow);
        if (blank) return blank;
        if (!this.hasFlowed(flow)) return [""];
        const edge = this.edge(flow), {taken, contribution} = edge;
        if (!taken) return ["not taken"];
        if (this.scene.node !== flow[0]) return [`← ${graph.number(contribution)}`, contribution];
        return [graph.product(edge).replace(/ (?=[×=])/g, "\n"), contribution];
    }

    // On an arrow with a weight: its number in the first line, and its gradient in the second.  A line for both has the number
    // until the gradient has arrived.
    contentOfWeight({flow, weighs, label}, i, first) {
        const {graph, scene} = this, isAlone = label.children.length === 1, hasArrived = this.hasFlowed(weighs);
        if (i === 0 && !(isAlone && hasArrived)) {
            const isInProduct = this.hasFlowed(flow) && scene.node === flow[0] && this.edge(flow).taken;
            if (isInProduct && !isAlone) return [""];
            return [weighs ? graph.number(graph.values[this.inputOf(weighs)]) : first];
        }
        const blank = weighs && this.blanks?.cell(this.inputOf(weighs));
        if (blank) return blank;
        if (!hasArrived) return [""];
        const x = scene.arrived.get(this.inputOf(weighs));
        return [`∂w ${graph.number(x)}`, x];
    }

    hasFlowed(edge) {
        return edge !== null && this.scene.flowed.has(edge.join("."));
    }

    inputOf([p, k]) {
        return this.graph.nodes[p].inputs[k];
    }

    // The flow along an edge in this scene, which a mistaken run changes, or in the right run if nothing has flowed yet.
    edge([p, k]) {
        return this.scene.flowed.get(`${p}.${k}`) ?? this.graph.edge(p, k);
    }

    // The area of a step's box and those of its inputs, or, if these cannot all be seen together, of its own box.
    areaOfStep() {
        const {node} = this.scene ?? {}, {inputs = []} = this.graph.nodes[node] ?? {};
        const around = (places) => {
            const boxes = this.boxes.filter(({ids, area}) => area && ids.some((place) => places.includes(place)));
            return unite(boxes.map(({area}) => area));
        };
        const own = around([node]), all = around([node, ...inputs]);
        return own && this.camera.goal.width >= all.width && this.camera.goal.height >= all.height ? all : own;
    }

    // The area of a step's products, or, if these cannot all be seen together, of its box.
    areaOfProducts() {
        const active = this.arrows.filter(({label}) => label?.classList.contains("active"));
        const products = unite(active.map(({label}) => label.getBBox()));
        return products?.width <= this.camera.goal.width ? products : this.areaOfStep();
    }

    // Show a scene without its texts, which `write` adds; if nodes are opened, all others fade.
    render(scene, opened = null) {
        this.scene = scene;
        const isAside = (places) => opened !== null && !places.some((place) => opened.has(place));
        const {phase, node, known, arrived} = scene, reached = phase === "forward" ? known : arrived;
        for (const box of this.boxes) {
            const here = [...box.ids, ...box.hidden].includes(node);
            const seen = here || !box.ids.length || box.ids.some((place) => reached.has(place));
            box.group.classList.toggle("active", here);
            box.group.classList.toggle("faint", !seen);
            box.group.classList.toggle("aside", isAside(box.ids));
            if (box.ids.length) put(box.group, "tabindex", here ? "0" : "-1"); // the picture is one stop of the Tab key
            if (box.unit !== null) this.markUnit(box);
            if (box.ids.length === 2) this.markProduct(box);
        }
        for (const arrow of this.arrows) {
            const [isHere, isDone, x] = this.stateOf(arrow);
            const {classList} = arrow.group, off = arrow.flow && isDone && phase === "backward" && !this.edge(arrow.flow).taken;
            classList.toggle("active", isHere);
            classList.toggle("faint", !isHere && (!isDone || off));
            for (const sign of ["plus", "minus", "zero", "unknown"]) classList.toggle(sign, isDone && signOf(x) === sign);
            arrow.turn(phase, isDone && !off ? thickness(x) : 1.2);
            for (const part of arrow.label ? [arrow.group, arrow.label] : [arrow.group])
                part.classList.toggle("aside", isAside(arrow.from) || isAside(arrow.to));
            arrow.label?.classList.toggle("active", isHere);
        }
        this.moveDots();
    }

    // Whether the arrow belongs to the step, whether something has gone along it, and the number that has.
    stateOf({flow, weighs, to, from}) {
        const {phase, node, known, arrived} = this.scene, {graph} = this, edge = flow ?? weighs;
        const isHere = (edge ? edge[0] : to[0]) === node;
        if (phase === "backward") {
            if (edge === null) return [isHere, arrived.has(to[0]), 0];
            return [isHere, this.hasFlowed(edge), this.edge(edge).contribution];
        }
        const isDone = known.has(to[0]);
        if (weighs) return [isHere, isDone, graph.partial(...weighs) * graph.values[this.inputOf(weighs)]];
        return [isHere, isDone, from.length ? graph.values[from.at(-1)] : 0];
    }

    // Mark a unit through which little or nothing flows.
    markUnit(box) {
        const {graph, scene} = this, slope = graph.partial(box.unit, 0);
        const isDead = slope === 0 && Boolean(graph.nodes[box.unit].kind.flows); // on a branch: a curve only approaches slope 0
        const word = !scene.known.has(box.unit) ? "" : isDead ? "dead" : Math.abs(slope) < SATURATED ? "saturated" : "";
        if (word && !box.mark) {
            const {x, y, width, height} = box.area;
            box.mark = drawn("text", {class: "mark", x: x + width / 2, y: y + height + 7}, this.svg); // over the next box of a column
        }
        if (box.mark) box.mark.textContent = word && `${word}: slope ${graph.number(slope)}`;
        box.group.classList.toggle("flat", word !== "");
    }

    // Write the flow inside a neuron, from its output to its net input, above its box at that step.
    markProduct(box) {
        const {phase, node, flowed} = this.scene, key = `${box.ids[1]}.0`, {x, y, width} = box.area;
        const isHere = phase === "backward" && node === box.ids[1] && flowed.has(key);
        if (isHere) box.product ??= drawn("text", {class: "product", x: x + width / 2, y: y - 5}, this.dots);
        if (box.product) {
            box.product.textContent = isHere ? this.graph.product(flowed.get(key)) : "";
            put(box.product, "class", `product ${isHere ? signOf(flowed.get(key).contribution) : ""}`);
        }
    }

    // Write at most `budget` of the texts that have changed, those at the step first, then the visible ones; return how many
    // are left.
    write(budget = Infinity) {
        const {scene, graph, camera} = this, waiting = [[], [], []];
        const near = new Set([scene.node, ...(graph.nodes[scene.node]?.inputs ?? [])]);
        for (const cell of this.cells) {
            const [text, x] = this.contentOf(cell), sign = x === undefined ? "" : signOf(x);
            if (text === cell.shown && sign === cell.sign) continue;
            const isNear = cell.box ? cell.box.ids.some((place) => near.has(place)) : cell.arrow.group.matches(".active");
            waiting[isNear ? 0 : camera.sees(cell.x, cell.y) ? 1 : 2].push([cell, text, sign]);
        }
        const all = waiting.flat();
        for (const each of all.slice(0, budget)) this.writeCell(...each);
        return Math.max(all.length - budget, 0);
    }

    writeCell(cell, text, sign) {
        if (sign !== cell.sign) {
            if (cell.sign) cell.text.classList.remove(cell.sign);
            if (sign) cell.text.classList.add(sign);
        }
        if (text !== cell.shown) {
            this.setText(cell.text, text);
            if (cell.box?.room) squeeze(cell.text, cell.box.room);
        }
        Object.assign(cell, {shown: text, sign});
        if (cell.gradient !== null && cell.box) cell.box.group.classList.toggle("bare", text === "");
    }

    // Write a text; several lines are centred on its place or, above an arrow, end there.
    setText(element, text) {
        const lines = text.split("\n"), x = element.getAttribute("x") ?? 0, share = element.parentNode.matches(".above") ? 1 : 0.5;
        if (lines.length === 1 && element.firstChild?.nodeType === Node.TEXT_NODE) element.firstChild.nodeValue = text; // no new node
        else if (lines.length === 1) element.textContent = text;
        else element.replaceChildren(...lines.map((line, i) => {
            const part = drawn("tspan", {x, dy: LINE * (i ? 1 : (1 - lines.length) * share)});
            part.textContent = `${i ? " " : ""}${line}`;
            return part;
        }));
    }

    // For screen readers.
    nameBoxes() {
        for (const {group, ids, lines} of this.boxes)
            if (ids.length) put(group, "aria-label", lines.map(({text}) => text.textContent).filter(Boolean).join(", "));
    }

    // ---- the dots

    moveDots() {
        const {t, phase} = this.scene, isOver = ({isWeight}) => t === 1 && isWeight && phase === "backward";
        const travellers = this.arrows.filter((arrow) => (t < 1 || isOver(arrow)) && this.travels(arrow));
        const height = ({shapes}) => shapes.backward.tip[1];
        const mean = travellers.reduce((sum, arrow) => sum + height(arrow), 0) / travellers.length;
        // A product at rest stands on the side to which its arrow does not lead.
        const isBelow = (arrow) => (t === 1 ? arrow.shapes.forward.tip[1] < height(arrow) - 1 : height(arrow) > mean);
        this.resting = []; // where products have come to rest
        travellers.forEach((arrow, i) => this.placeDot((this.pool[i] ??= this.newDot()), arrow, isBelow(arrow)));
        this.svg.classList.toggle("moving", t < 1 && travellers.length > 0);
        for (const arrow of this.arrows) arrow.label?.classList.toggle("behind", !arrow.isWeight && travellers.includes(arrow));
        this.pool.slice(travellers.length).forEach(({group}) => group.setAttribute("class", "dot off"));
    }

    travels({flow, weighs, to}) {
        const {phase, node} = this.scene, edge = flow ?? weighs;
        if (phase === "backward") return flow !== null && flow[0] === node && this.scene.isRevealed && this.edge(flow).taken;
        return (edge ? edge[0] : to[0]) === node && edge !== null;
    }

    newDot() {
        const group = drawn("g", {class: "dot"}, this.dots);
        return {group, circle: drawn("circle", {r: "5"}, group), text: drawn("text", {y: "-9"}, group)};
    }

    // Put a dot where it is at this moment: its number is multiplied on the way, and added where it arrives.
    placeDot({group, circle, text}, arrow, isBelow) {
        // When the step is over, the product stays by the input, because the label of a weight shows something else.
        const {phase, t} = this.scene, isOver = t === 1;
        const way = isOver ? 0.5 : ease(clamp((t - LEAVES) / (ARRIVES - LEAVES), 0, 1));
        const at = isOver ? Math.min(HEAD + 4, arrow.length) : arrow.length * (phase === "forward" ? way : 1 - way);
        const {x, y} = arrow.way.getPointAtLength(at);
        const [word, number] = phase === "forward" ? this.carried(arrow, way) : this.passed(arrow, way);
        put(group, "transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
        put(group, "class", `dot ${signOf(number)}${isOver ? " over" : ""}`);
        put(circle, "r", (2.5 + thickness(number) / 2 + 1).toFixed(1));
        const lines = isOver || widthOf(word.length) > arrow.length ? word.replace(/ (?=[×+=])/g, "\n") : word;
        const anchors = isOver || way === 1 ? ["end", "start"] : way < 0.3 ? ["start", "end"] : ["middle", "middle"];
        const anchor = anchors[phase === "forward" ? 0 : 1]; // beside the box that it leaves or reaches
        this.placeText(text, lines, [x, y], anchor, isBelow, isOver ? arrow.flow[0] : null);
    }

    // Write the text of a dot at a point: within the picture, and clear of others if it is a product at rest at a node.
    placeText(text, lines, [x, y], anchor, isBelow, node) {
        const {whole} = this.camera, lengths = lines.split("\n").map((line) => line.length);
        const width = widthOf(Math.max(...lengths));
        const left = x - width * {start: 0, middle: 0.5, end: 1}[anchor];
        const shift = clamp(left, whole.x, Math.max(whole.x + whole.width - width, whole.x)) - left;
        const rise = ((lengths.length - 1) * LINE) / 2, middle = isBelow ? 18 + rise : -9 - rise; // half of what more lines add
        const area = {left: left + shift, width, middle: y + middle, half: rise + LINE / 2};
        const clearance = node === null ? 0 : this.clearance(node, area, isBelow ? 1 : -1);
        put(text, "text-anchor", anchor);
        put(text, "x", shift.toFixed(0));
        put(text, "y", (middle + clearance).toFixed(0));
        if (text.shown !== lines + shift) this.setText(text, lines);
        text.shown = lines + shift;
    }

    // How far a product at rest has to move, down or up, so that it covers neither the gradient of a weight, in the middle of
    // an arrow, nor a product placed before it.
    clearance(p, {left, width, middle, half}, way) {
        const gradients = this.arrows.filter(({isWeight, flow}) => isWeight && flow?.[0] === p).map(({label}) => {
            const [x, y] = ["x", "y"].map((name) => Number(label.lastElementChild.getAttribute(name)));
            const room = widthOf(this.graph.digits + 5);
            return {left: x - room / 2, width: room, middle: y, half: LINE / 2};
        });
        const near = [...gradients, ...this.resting].filter((each) => each.left < left + width && left < each.left + each.width);
        let at = middle;
        for (const each of near.sort((a, b) => way * (a.middle - b.middle))) {
            const apart = half + each.half;
            if (Math.abs(each.middle - at) < apart - TOUCH) at = each.middle + way * apart;
        }
        this.resting.push({left, width, middle: at, half});
        return at - middle;
    }

    carried({weighs, from}, way) {
        const {graph} = this;
        if (!weighs) return [graph.number(graph.values[from.at(-1)]), graph.values[from.at(-1)]];
        const x = graph.partial(...weighs), w = graph.values[this.inputOf(weighs)];
        if (way < 0.35) return [graph.number(x), x];
        if (way < 0.65) return [`${graph.number(x)} × ${factor(graph.number(w))} = ${graph.number(x * w)}`, x * w];
        return [graph.number(x * w), x * w];
    }

    passed({flow}, way) {
        const {graph} = this, edge = this.edge(flow), {upstream, contribution} = edge;
        if (way < 0.3) return [graph.number(upstream), upstream];
        if (way < 0.7) return [graph.product(edge), contribution];
        return [way < 1 ? graph.number(contribution) : graph.addition(...flow), contribution];
    }
}
