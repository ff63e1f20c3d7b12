"use strict";
// A graph that computes itself and writes its texts, without a page: values, gradients, steps, moments and texts at any leaves.
//
// The idea: values, local derivatives and visits give everything else, in the order of Python's additions, so that the sums are
// the same; and a text is written when it is shown, from the numbers that are there then.

// The numbers of one backward pass: the right one, or a mistaken one.
class Pass {
    // order: the operations to be visited, places; overwrites: whether a contribution replaces what has arrived.
    constructor(graph, order, overwrites = false) {
        this.order = order;
        this.gradients = new Float64Array(graph.nodes.length);
        this.reached = new Set([graph.loss]);
        this.gradients[graph.loss] = graph.problem ? NaN : 1;
        this.visits = order.map((p) => {
            const upstream = this.gradients[p], isReached = this.reached.has(p);
            const edges = graph.nodes[p].inputs.map((x, k) => {
                const before = this.gradients[x], taken = isReached && graph.isTaken(p, k), partial = graph.partial(p, k);
                const contribution = taken ? upstream * partial : 0;
                if (taken) {
                    this.gradients[x] = overwrites ? contribution : before + contribution;
                    this.reached.add(x);
                }
                return {input: x, partial, taken, upstream, contribution, before, total: this.gradients[x]};
            });
            return {node: p, isReached, upstream, edges};
        });
        this.byNode = new Map(this.visits.map((visit) => [visit.node, visit]));
    }
}

class Graph {
    // data: a graph, rows: the rows, both from `to_javascript` in javascript.py.  It computes at the recorded leaves.
    constructor(data, rows) {
        this.rows = new Rows(rows);
        this.digits = data.digits;
        this.loss = data.loss;
        this.order = data.order;
        this.mistakes = data.mistakes;
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

    // Change a leaf; `compute` then gives everything that follows from it.
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

    // What follows from the values and the partial derivatives: decisions, gradients, steps.
    follow() {
        this.flows = new Map();
        this.told = {}; // what was written since
        this.right = new Pass(this, this.order.toReversed());
        this.steps = this.stepsOf(this.right.visits);
    }

    get gradients() {
        return this.right.gradients;
    }

    // The operands of an operation in written order: of its inputs what `of` gives for their places, and its constants.
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
        const {kind} = this.nodes[p];
        if (this.partials[p][k] !== 0 || !kind.flows) return true;
        if (!this.flows.has(p)) {
            this.flows.set(p, kind.flows(this.rows.numbers, this.operands(p, (x) => this.values[x]), this.values[p]));
        }
        return this.flows.get(p)[k] != 0;
    }

    edge(p, k) {
        return this.right.byNode.get(p).edges[k];
    }

    taken(p, k) {
        return this.edge(p, k).taken;
    }

    // Compare with Python's numbers at the recorded leaves; an empty string, or which row computes something else.
    check(tolerance = 1e-9) {
        const differs = (x, y, scale) => !(Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * scale);
        const largest = (key) => Math.max(...this.nodes.map((node) => Math.abs(node[key])).filter(Number.isFinite), 0);
        const values = largest("data"), gradients = largest("gradient");
        for (const p of this.order) {
            if (differs(this.values[p], this.nodes[p].data, values)) {
                return `${this.nodes[p].row.name} gives ${repr(this.values[p])} here and ${repr(this.nodes[p].data)} in Python`;
            }
        }
        for (const {edges, node} of this.right.visits) {
            for (const {input} of edges) {
                const [here, there] = [this.gradients[input], this.nodes[input].gradient];
                if (differs(here, there, gradients)) {
                    const {row, short} = this.nodes[node];
                    return `a rule of ${row.name} gives ∂${short}/∂${this.nodes[input].short} another value than in Python: ` +
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
        const {order, overwrites} = this.mistakes[mistake], seen = new Set(), visits = [];
        for (const visit of new Pass(this, order, overwrites).visits) {
            const difference = this.difference(visit, seen);
            visits.push(difference ? {...visit, mistake: difference} : visit);
            if (difference) break;
            seen.add(visit.node);
        }
        return this.stepsOf(visits);
    }

    // How a visit differs from the right one, or an empty string; `seen` are the nodes that were visited before.
    difference({node, isReached, upstream, edges}, seen) {
        const name = (p) => this.nodes[p].short, differs = (x, y) => x !== y && !(Number.isNaN(x) && Number.isNaN(y));
        if (seen.has(node)) return `${name(node)} is visited a second time, and what it passed on before is passed on again`;
        if (differs(upstream, this.gradients[node])) {
            const slope = `∂${name(this.loss)}/∂${name(node)}`;
            const used = `${this.number(upstream)} is used, but ${slope} is ${this.number(this.gradients[node])}`;
            const late = this.order.filter((p) => this.nodes[p].inputs.includes(node) && !seen.has(p)).map(name);
            return late.length ? `${used}: ${late.join(" and ")} had not passed on its share yet` : used;
        }
        for (const {input, taken, contribution, before, total} of edges) {
            const right = before + contribution;
            if (!isReached || !taken || total === right || Number.isNaN(total)) continue;
            const sum = `${this.number(before)} + ${factor(this.number(contribution))} = ${this.number(right)}`;
            const should = sum + (right !== this.gradients[input] ? " so far" : "");
            return `${name(input)} is used more than once, and what arrives adds up: ${should}, not ${this.number(total)}`;
        }
        return "";
    }

    // The state after a step, -1 before the first.
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
        return {known, arrived, flowed, complete};
    }

    // ---- texts, equal to those of `walk` at the same leaves

    number(x) {
        return digits(x, this.digits);
    }

    // The names of the nodes with their numbers, as formulas, by place.
    cell(p) {
        const make = ({short}, place) => Object.assign(new Formula(), {name: short, value: this.values[place]});
        this.told.cells ??= this.nodes.map(make);
        return this.told.cells[p];
    }

    operation(p) {
        const {row} = this.nodes[p];
        return row ? this.rows.applied(row, this.operands(p, (x) => this.cell(x)), this.values[p]) : this.cell(p);
    }

    derivative(p, k) {
        const write = () => this.nodes[p].kind.rules(this.rows.formulas, this.operands(p, (x) => this.cell(x)), this.cell(p));
        this.told[p] ??= write();
        return this.told[p][k];
    }

    written(formula, isNumbers) {
        return new Writer(this.rows, this.digits, isNumbers).text(formula);
    }

    formula(p) {
        return this.written(this.operation(p), false);
    }

    numbers(p) {
        return this.written(this.operation(p), true);
    }

    slope(p, k) {
        return `∂${this.nodes[p].short}/∂${this.nodes[this.nodes[p].inputs[k]].short}`;
    }

    rule(p, k) {
        return this.written(this.derivative(p, k), false);
    }

    ruleNumbers(p, k) {
        return this.written(this.derivative(p, k), true);
    }

    reason(p, k) {
        const given = this.derivative(p, k).given ?? [];
        return [...new Set(given.filter((x) => x.value != 0).map((x) => this.written(x, false)))].join(" and ");
    }

    // The texts of an edge; by default that of the right pass.
    product(p, k, edge = this.edge(p, k)) {
        return edge.taken ? [edge.upstream, edge.partial].map((x) => factor(this.number(x))).join("·") : "0";
    }

    addition(p, k, edge = this.edge(p, k)) {
        const [before, total] = [this.number(edge.before), this.number(edge.total)];
        if (overwrites(edge)) return `set to ${total}, where it was ${before}`;
        return `${before} + ${factor(this.number(edge.contribution))} = ${total}`;
    }

    edgeText(p, k, edge = this.edge(p, k)) {
        const name = this.nodes[edge.input].short, reason = this.reason(p, k);
        const local = equation(this.slope(p, k), this.rule(p, k), this.ruleNumbers(p, k), this.number(edge.partial));
        const flow = equation(this.product(p, k, edge), this.number(edge.contribution));
        let text = `add ${flow} to ${name}.grad: ${this.addition(p, k, edge)}`;
        if (overwrites(edge)) text = `set ${name}.grad to ${flow}, where it was ${this.number(edge.before)}`;
        if (!edge.taken) text = `nothing flows to ${name}: this branch is not taken`;
        return `    ${local}${reason ? `, as ${reason}` : ""}\n        ${text}`;
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
            return head + equation(short, this.formula(node), this.numbers(node), this.number(this.values[node]));
        }
        const lines = [`${head}${short} = ${this.formula(node)}, ${this.gradientText(node, upstream)}`];
        lines.push(...edges.map((edge, k) => this.edgeText(node, k, edge)));
        return [...lines, ...(mistake ? [`    wrong: ${mistake}`] : [])].join("\n");
    }
}

// Whether a contribution replaced the gradient instead of being added to it, as only in a mistaken pass.
const overwrites = ({before, contribution, total}) => total !== before + contribution && total === contribution;
