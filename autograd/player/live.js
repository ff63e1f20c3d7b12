"use strict";
// A graph that computes itself and writes its texts, without a page: values, gradients, steps, moments and texts at any leaves.
//
// The idea: everything else follows from values, local derivatives and visits, added in the same order as in Python, so that
// the sums are the same; and a text is written only when it is shown, from the numbers of that moment.

const TOLERANCE = 1e-9; // relative to the largest number: how far the page may be from Python

// A backward pass while it runs: the right one, or a mistaken one.
class Pass {
    // start: the gradients before the pass, by place; by default 0.
    constructor(graph, start) {
        this.graph = graph;
        this.reached = new Set([graph.loss]);
        this.gradients = start ? Float64Array.from(start) : new Float64Array(graph.nodes.length);
        this.gradients[graph.loss] = graph.problem ? NaN : 1;
    }

    // Let a node pass on its gradient so far, with its partial derivatives as they were read; combine: the function that adds a
    // contribution to a gradient.
    visit(p, {partials, taken, values} = this.graph.reading(p), combine = (before, contribution) => before + contribution) {
        const upstream = this.gradients[p], isReached = this.reached.has(p);
        const edges = this.graph.nodes[p].inputs.map((x, k) => {
            const before = this.gradients[x], flows = isReached && taken[k];
            const partial = taken[k] ? partials[k] : this.graph.partial(p, k), contribution = flows ? upstream * partial : 0;
            if (flows) {
                this.gradients[x] = combine(before, contribution);
                this.reached.add(x);
            }
            return {input: x, partial, isRead: taken[k], taken: flows, upstream, contribution, before, total: this.gradients[x]};
        });
        return {node: p, isReached, upstream, edges, values};
    }
}

class Graph {
    // data: a graph, rows: the rows, both from `to_javascript` in javascript.py.  It computes at the recorded leaves.
    constructor(data, rows) {
        this.rows = new Rows(rows);
        this.digits = data.digits;
        this.loss = data.loss;
        this.order = data.order;
        this.activations = new Set(data.activations);
        this.nodes = data.nodes.map((node) => {
            const short = node.short ?? node.name, mark = node.delta ? "δ" : `∂${short}`;
            const kind = rows.kinds[node.kind], row = rows.rows[kind?.row];
            const recorded = {data: Number(node.data), gradient: Number(node.gradient)};
            return {inputs: [], ...node, ...recorded, short, mark, kind, row};
        });
        this.values = Float64Array.from(this.nodes, (node) => node.data);
        this.partials = this.nodes.map(({inputs}) => new Float64Array(inputs.length));
        this.compute();
    }

    // ---- numbers

    // Change a leaf; `compute` then computes everything that depends on it.
    set(place, x) {
        this.values[place] = x;
    }

    compute() {
        this.problem = null;
        this.unknown = new Set(); // the places that have no value, because of the problem
        for (const p of this.order) {
            const node = this.nodes[p], operands = this.operands(p, (x) => this.values[x]);
            this.values[p] = NaN;
            this.partials[p].fill(NaN);
            if (node.inputs.some((x) => this.unknown.has(x))) {
                this.unknown.add(p);
                continue;
            }
            try {
                this.values[p] = this.rows.evaluate(node.row, operands);
                this.partials[p].set(this.rows.partials(node.kind, operands, this.values[p]));
            } catch (error) {
                if (!(error instanceof Undefined)) throw error;
                this.problem ??= {place: p, text: error.message};
                this.unknown.add(p);
            }
        }
        this.follow();
    }

    // Compute what follows from the values and the partial derivatives: decisions, gradients, steps.
    follow() {
        this.flows = new Map();
        [this.names, this.rules] = [[], []]; // of nodes, by place: the formulas that were needed since the numbers last changed
        const pass = new Pass(this), visits = this.order.toReversed().map((p) => pass.visit(p));
        this.gradients = pass.gradients;
        this.visits = new Map(visits.map((visit) => [visit.node, visit]));
        this.steps = this.stepsOf(visits);
    }

    // The operands of an operation in written order: its constants, and `of` called with the place of each input.
    operands(p, of) {
        const {inputs, kind} = this.nodes[p];
        let k = 0;
        return kind.operands.map((constant) => constant ?? of(inputs[k++]));
    }

    partial(p, k) {
        return this.partials[p][k];
    }

    // Whether an operation chose this operand, so that a gradient can flow to it.
    isTaken(p, k) {
        if (this.partials[p][k] !== 0 || !this.nodes[p].kind.flows) return true;
        if (!this.flows.has(p)) this.flows.set(p, this.flowsAt(p, this.operands(p, (x) => this.values[x]), this.values[p]));
        return this.flows.get(p)[k];
    }

    // Whether a gradient can flow to each input of an operation at some operands, where its partial derivative is 0.
    flowsAt(p, operands, out) {
        return this.nodes[p].kind.flows(this.rows.numbers, operands, out).map((flow) => flow != 0);
    }

    // The partial derivatives of an operation, and along which edges anything flows: at its own operands, or at other numbers
    // for some inputs, which are then the `values` of each edge; at its own again if the others are outside its domain.
    reading(p, numbers = new Map()) {
        const {inputs, kind, row} = this.nodes[p];
        const moved = inputs.filter((x) => numbers.has(x) && !same(numbers.get(x), this.values[x]));
        const values = new Map(moved.map((x) => [x, numbers.get(x)]));
        const own = {
            partials: [...this.partials[p]],
            taken: inputs.map((_, k) => this.isTaken(p, k)),
            values: inputs.map(() => new Map()),
        };
        if (!values.size) return own;
        return attempt(() => {
            const operands = this.operands(p, (x) => values.get(x) ?? this.values[x]), out = this.rows.evaluate(row, operands);
            const partials = this.rows.partials(kind, operands, out);
            const flows = kind.flows && partials.includes(0) ? this.flowsAt(p, operands, out) : [];
            return {partials, taken: partials.map((x, k) => x !== 0 || (flows[k] ?? true)), values: inputs.map(() => values)};
        }, () => own);
    }

    edge(p, k) {
        return this.visits.get(p).edges[k];
    }

    // Compare with Python's numbers at the recorded leaves; return an empty string, or the row that differs and both numbers.
    check() {
        const differs = (x, y, scale) => !(Object.is(x, y) || x === y || Math.abs(x - y) <= TOLERANCE * scale);
        const largest = (key) => Math.max(...this.nodes.map((node) => Math.abs(node[key])).filter(Number.isFinite), 0);
        const values = largest("data"), gradients = largest("gradient");
        for (const p of this.order) {
            if (differs(this.values[p], this.nodes[p].data, values)) {
                return `${this.nodes[p].row.name} gives ${repr(this.values[p])} here and ${repr(this.nodes[p].data)} in Python`;
            }
        }
        for (const {edges, node} of this.visits.values()) {
            for (const {input} of edges) {
                const [here, there] = [this.gradients[input], this.nodes[input].gradient];
                if (differs(here, there, gradients)) {
                    const {row, short} = this.nodes[node];
                    return `a rule of ${row.name} gives ∂${short}/∂${this.nodes[input].short} a different value from Python: ` +
                        `the gradient is ${repr(here)} here and ${repr(there)} there`;
                }
            }
        }
        return "";
    }

    // ---- steps and moments

    stepsOf(visits) {
        const count = this.order.length;
        return [
            ...this.order.map((node, i) => ({phase: "forward", node, index: i + 1, count, edges: []})),
            ...visits.map((visit, i) => ({phase: "backward", index: i + 1, count, ...visit})),
        ];
    }

    // The steps of a classic mistake, up to the first that differs from the right pass, which then has the property `mistake`.
    run(mistake) {
        return this.stepsOf(mistakenVisits(this, mistake));
    }

    // The state after step i, or before the first for i = -1; if there is a problem, no gradient has arrived anywhere.
    moment(i, steps = this.steps) {
        const known = new Set(this.nodes.keys()), arrived = new Map(), flowed = new Map(), awaited = new Map();
        for (const p of this.order) {
            known.delete(p);
            for (const x of this.nodes[p].inputs) awaited.set(x, (awaited.get(x) ?? 0) + 1);
        }
        for (const step of steps.slice(0, i + 1)) {
            known.add(step.node);
            if (step.phase === "backward") arrived.set(this.loss, arrived.get(this.loss) ?? 1);
            step.edges.forEach((edge, k) => {
                arrived.set(edge.input, edge.total);
                flowed.set(`${step.node}.${k}`, edge);
                awaited.set(edge.input, awaited.get(edge.input) - 1);
            });
        }
        const complete = new Set([...this.nodes.keys()].filter((p) => !(awaited.get(p) > 0)));
        for (const p of this.unknown) known.delete(p);
        if (this.problem) [arrived, flowed].forEach((each) => each.clear());
        return {known, arrived, flowed, complete};
    }

    // ---- texts, equal to those of `walk` at the same leaves

    number(x) {
        return digits(x, this.digits);
    }

    // The name of a node with its number, as a formula.
    named(p) {
        return (this.names[p] ??= new Formula({name: this.nodes[p].short, value: this.values[p]}));
    }

    operation(p) {
        const {row} = this.nodes[p];
        return row ? this.rows.applied(row, this.operands(p, (x) => this.named(x)), this.values[p]) : this.named(p);
    }

    // The partial derivative of a node as a formula, or as a number if the edge has another one, as only in a mistaken pass.
    derivative(p, k, edge = null) {
        if (edge && !same(edge.partial, this.partial(p, k))) return edge.partial;
        this.rules[p] ??= this.nodes[p].kind.rules(this.rows.formulas, this.operands(p, (x) => this.named(x)), this.named(p));
        return this.rules[p][k];
    }

    written(formula, isNumbers) {
        return new Writer(this.rows, this.digits, isNumbers).text(formula);
    }

    // The formula of an operation, and the rule of an edge below, with names or with numbers in their place.
    formula(p, isNumbers = false) {
        return this.written(this.operation(p), isNumbers);
    }

    slope(p, k) {
        return `∂${this.nodes[p].short}/∂${this.nodes[this.nodes[p].inputs[k]].short}`;
    }

    rule(p, k, edge, isNumbers = false) {
        return this.written(this.derivative(p, k, edge), isNumbers);
    }

    reason(p, k, edge) {
        const given = this.derivative(p, k, edge).given ?? [];
        const found = given.filter((x) => x.value != 0 || !x.row).map(because);
        const state = (x) => this.written(x, false) + (x.row ? "" : x.value != 0 ? " ≠ 0" : " = 0");
        return [...new Set(found.filter((x) => !x.operands.includes(Infinity)).map(state))].join(" and "); // not x < ∞
    }

    // The texts of an edge, by default one of the right pass.
    addition(p, k, edge = this.edge(p, k)) {
        const [before, total] = [this.number(edge.before), this.number(edge.total)];
        if (overwrites(edge)) return `set to ${total}, where it was ${before}`;
        return `${before} + ${factor(this.number(edge.contribution))} = ${total}`;
    }

    edgeText(p, k, edge = this.edge(p, k)) {
        const name = this.nodes[edge.input].short, reason = this.reason(p, k, edge);
        const [rule, numbers] = [this.rule(p, k, edge), this.rule(p, k, edge, true)];
        const local = equation(this.slope(p, k), rule, numbers, this.number(edge.partial));
        const product = edge.taken ? [edge.upstream, edge.partial].map((x) => factor(this.number(x))).join("·") : "0";
        const flow = equation(product, this.number(edge.contribution));
        let text = `add ${flow} to ${name}.grad: ${this.addition(p, k, edge)}`;
        if (overwrites(edge)) text = `set ${name}.grad to ${flow}, where it was ${this.number(edge.before)}`;
        if (!edge.taken) text = `nothing flows to ${name}${reason ? ": this branch is not taken" : ""}`;
        return `    ${local}${reason ? `, since ${reason}` : ""}\n        ${text}`;
    }

    // upstream × local = contribution
    product({upstream, partial, contribution}) {
        return `${this.number(upstream)} × ${factor(this.number(partial))} = ${this.number(contribution)}`;
    }

    // The gradient of a node as far as it has arrived at a moment: "∂v1 so far = 2".
    arrivedText(p, {arrived, complete}) {
        return `${this.nodes[p].mark}${complete.has(p) ? "" : " so far"} = ${this.number(arrived.get(p))}`;
    }

    // ∂loss/∂node with its number, complete or so far: "∂loss/∂v1 = 2", for a net input "δ = ∂loss/∂net = 2".
    gradientText(p, soFar = this.gradients[p]) {
        const {delta, short} = this.nodes[p];
        return equation(delta ? "δ" : "", `∂${this.nodes[this.loss].short}/∂${short}`, this.number(soFar));
    }

    // The text of a step, as printed in Python.
    stepText(i, steps = this.steps) {
        const {phase, node, index, count, upstream, edges, mistake} = steps[i], {short} = this.nodes[node];
        const head = `${phase} ${index}/${count}: `;
        if (phase === "forward") {
            return head + equation(short, this.formula(node), this.formula(node, true), this.number(this.values[node]));
        }
        const lines = [`${head}${short} = ${this.formula(node)}, ${this.gradientText(node, upstream)}`];
        lines.push(...edges.map((edge, k) => this.edgeText(node, k, edge)));
        return [...lines, ...(mistake ? [`    wrong: ${mistake}`] : [])].join("\n");
    }
}

// Why a condition holds: a rule writes "one of several conditions" as their maximum, and the first that holds is the reason.
const because = (x) => {
    const holding = x.row?.name === "maximum" ? x.operands.find((each) => numberOf(each) === x.value) : undefined;
    return holding === undefined ? x : because(holding); // there is none for NaN
};

// Whether a contribution replaced the gradient instead of being added to it, which happens only in a mistaken pass.
const overwrites = ({before, contribution, total}) => total !== before + contribution && total === contribution;
