// ---- the classic mistakes of mistakes.py as algorithms that a page runs
//
// A mistake is a series of visits, which show everything that can go wrong: the order of the nodes, a sum that does not add or
// does not start at 0, or a slip, which reads partial derivatives other than a node's own.  A comparison finds the first wrong
// visit.

const RATE = 0.1; // the learning rate of a pass that updates too soon
const MOST_DIGITS = 17; // enough to distinguish any two floats

const MISTAKES = {
    "recursion": function* (graph) {
        const pass = new Pass(graph), waiting = [graph.loss];
        while (waiting.length) {
            const p = waiting.pop();
            if (!graph.nodes[p].row) continue;
            yield pass.visit(p);
            waiting.push(...graph.nodes[p].inputs.toReversed());
        }
    },
    "overwrite": (graph) => sorted(graph, {combine: (before, contribution) => contribution}),
    "unsorted": function* (graph) {
        const pass = new Pass(graph), reached = new Set([graph.loss]);
        for (const p of reached) { // which grows during the loop
            if (!graph.nodes[p].row) continue;
            yield pass.visit(p);
            for (const x of graph.nodes[p].inputs) reached.add(x);
        }
    },
    "activation-forgotten": (graph) => sorted(graph, {slip: unit, at: graph.activations}),
    "zero-grad-forgotten": (graph) => sorted(graph, {start: graph.nodes.map(({row}, p) => (row ? 0 : graph.gradients[p]))}),
    "sign": (graph) => sorted(graph, {slip: plus}),
    "out-for-net": (graph) => sorted(graph, {slip: atOutput, at: graph.activations}),
    "updated-too-soon": function* (graph) {
        const pass = new Pass(graph), moved = new Map();
        for (const p of graph.order.toReversed()) {
            const {inputs} = graph.nodes[p], isLeaf = inputs.map((x) => !graph.nodes[x].row), first = graph.reading(p, moved);
            inputs.forEach((x, k) => {
                if (!isLeaf[k] || !pass.reached.has(p) || !first.taken[k]) return;
                moved.set(x, (moved.get(x) ?? graph.values[x]) - RATE * pass.gradients[p] * first.partials[k]);
            });
            const later = graph.reading(p, moved), either = (name) => isLeaf.map((own, k) => (own ? first : later)[name][k]);
            yield pass.visit(p, {partials: either("partials"), taken: either("taken"), values: either("values")});
        }
    },
};

// Visit every node after all its consumers; the partial derivatives at some nodes are read by a slip.
function* sorted(graph, {slip, at = new Set(graph.order), combine, start}) {
    const pass = new Pass(graph, start);
    for (const p of graph.order.toReversed()) yield pass.visit(p, slip && at.has(p) ? slip(graph, p) : graph.reading(p), combine);
}

// 1 in place of the partial derivative with respect to the first input.
function unit(graph, p) {
    const {partials, taken, values} = graph.reading(p);
    return {partials: [1, ...partials.slice(1)], taken: [true, ...taken.slice(1)], values};
}

// The partial derivatives without the minus sign with which a rule begins, whatever its operands are called.
function plus(graph, p) {
    const {partials, ...rest} = graph.reading(p), {inputs, kind} = graph.nodes[p];
    const named = (name, place) => new Formula({name, value: graph.values[place]});
    const cells = new Map(inputs.map((x) => [x, named("x", x)]));
    const rules = kind.rules(graph.rows.formulas, graph.operands(p, (x) => cells.get(x)), named("out", p));
    return {partials: partials.map((x, k) => (x && graph.written(rules[k], false).startsWith("-") ? -x : x)), ...rest};
}

// The partial derivatives at the node's own number instead of its first input's.
const atOutput = (graph, p) => graph.reading(p, new Map([[graph.nodes[p].inputs[0], graph.values[p]]]));

// The visits of a mistake, up to the first that differs from the right one, which then has the property `mistake`.
function mistakenVisits(graph, name) {
    const comparison = new Comparison(graph), visits = [];
    for (const visit of MISTAKES[name](graph)) {
        const mistake = comparison.difference(visit);
        visits.push(mistake ? {...visit, mistake} : visit);
        if (mistake) break;
    }
    return visits;
}

// Compares visits, one after another, with the right ones.
class Comparison {
    constructor(graph) {
        Object.assign(this, {graph, seen: new Set(), arrived: new Map()});
    }

    name(p) {
        return this.graph.nodes[p].short;
    }

    // How a visit differs from the right one, or an empty string.
    difference(visit) {
        const {graph, seen} = this, {node, isReached, upstream, edges} = visit, number = (x) => graph.number(x);
        if (seen.has(node)) return `${this.name(node)} is visited a second time and passes on again what it passed on before`;
        const isLate = (p) => graph.nodes[p].inputs.includes(node) && !seen.has(p);
        const late = same(upstream, graph.gradients[node]) ? [] : graph.order.filter(isLate);
        if (late.length) { // otherwise these are the right contributions, added in another order, which rounds differently
            const right = `∂${this.name(graph.loss)}/∂${this.name(node)} is ${number(graph.gradients[node])}`;
            return `${number(upstream)} is used, but ${right}: ${late.map((p) => this.name(p)).join(" and ")} had not contributed yet`;
        }
        seen.add(node);
        if (!isReached) return "";
        for (const [k, {input, taken, contribution, before, total}] of edges.entries()) {
            if (!same(before, this.arrived.get(input) ?? 0)) {
                return `${this.name(input)}.grad starts at ${number(before)}, which an earlier pass left, not at 0`;
            }
            if (!same(contribution, graph.isTaken(node, k) ? upstream * graph.partial(node, k) : 0)) return this.misread(visit, k);
            if (!taken) continue;
            const right = before + contribution;
            if (!same(total, right)) {
                const should = `${number(before)} + ${factor(number(contribution))} = ${number(right)}`;
                const soFar = right !== graph.gradients[input] ? " so far" : "";
                return `${this.name(input)} is used more than once, so its contributions add up: ${should}${soFar}, not ${number(total)}`;
            }
            this.arrived.set(input, total);
        }
        return "";
    }

    // The error in the partial derivative that a visit used for its input k, and where it was read.
    misread({node, edges, values}, k) {
        const {graph} = this, used = edges[k].isRead ? edges[k].partial : 0, named = namesIn(graph.derivative(node, k));
        const read = [...values[k]], changed = read.filter(([x]) => named.has(this.name(x)));
        const [should, now] = this.apart(graph.partial(node, k), used);
        const text = `${equation(graph.slope(node, k), graph.rule(node, k), should)}, not ${now}`;
        const [[x, value]] = changed.length ? changed : read.length ? read : [[]];
        if (x === undefined) return text;
        const [own, other] = this.apart(graph.values[x], value);
        return `${text}: it was read at ${this.name(x)} = ${other} instead of ${own}`;
    }

    // Two numbers with as many digits as are needed to distinguish them.
    apart(x, y) {
        for (let n = this.graph.digits; n <= MOST_DIGITS; n++) {
            if (digits(x, n) !== digits(y, n)) return [digits(x, n), digits(y, n)];
        }
        return [x, y].map((each) => this.graph.number(each));
    }
}

// The names in a formula.
function namesIn(formula) {
    if (!(formula instanceof Formula)) return new Set();
    return new Set([formula.name, ...formula.operands.flatMap((x) => [...namesIn(x)])].filter(Boolean));
}
