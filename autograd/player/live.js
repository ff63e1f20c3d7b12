"use strict";
// A graph that computes and tells itself, without a page: values, gradients, steps, moments and texts at any leaves.
//
// The idea: a formula is a function of a reading `$`, where $("tanh", x) applies the row "tanh".  Read as numbers it computes,
// with the same operations in the same order as Python; read as formulas it is written, by the same rules as in symbol.py.

// ---- Python's functions where JavaScript computes differently, or not at all

class Undefined extends Error {} // an operation without a value at its operands, as a ValueError in Python

const within = (f) => (...x) => {
    const out = f(...x);
    const isOutside = Number.isNaN(out) ? !x.some(Number.isNaN) : !Number.isFinite(out) && x.every(Number.isFinite);
    if (isOutside) throw new Undefined("math domain error");
    return out;
};

const bounded = (f) => (...x) => {
    const out = f(...x);
    if (!Number.isFinite(out) && x.every(Number.isFinite)) throw new Undefined("math range error");
    return out;
};

const math = {
    exp: Math.exp, exp2: (x) => 2 ** x, expm1: Math.expm1, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh,
    log: within(Math.log), log2: within(Math.log2), log10: within(Math.log10), log1p: within(Math.log1p),
    sin: within(Math.sin), cos: within(Math.cos), tan: within(Math.tan),
    asin: within(Math.asin), acos: within(Math.acos), atan: Math.atan, atan2: Math.atan2,
    asinh: Math.asinh, acosh: within(Math.acosh), atanh: within(Math.atanh),
    sqrt: within(Math.sqrt), cbrt: Math.cbrt, hypot: Math.hypot, erf, pow,
};

function pow(x, y) {
    if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
    if (x === 0 && y < 0 && y > -Infinity) throw new Undefined("math domain error");
    const out = Math.pow(x, y);
    if (Number.isNaN(out) && !Number.isNaN(x) && !Number.isNaN(y)) throw new Undefined("math domain error");
    return out;
}

function erf(x) {
    if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? x : Math.sign(x);
    let term = x, sum = x; // e^(x²)·erf(x)·√π/2 = x + x·(2x²)/3 + x·(2x²)²/(3·5) + …, all of one sign
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
        term *= 2 * x * x / n;
        sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

function logSumExp(...x) {
    if (x.some(Number.isNaN)) return NaN;
    const shift = Math.max(...x);
    if (!Number.isFinite(shift)) return shift;
    const rest = x.sort((a, b) => a - b).slice(0, -1);
    return shift + Math.log1p(rest.reduce((sum, one) => sum + Math.exp(one - shift), 0));
}

function divide(x, y) {
    if (y === 0) throw new Undefined("float division by zero");
    return x / y;
}

function remainder(x, y) {
    if (y === 0) throw new Undefined("float modulo");
    const rest = x % y;
    if (rest === 0) return y < 0 ? -0 : 0;
    return (y < 0) !== (rest < 0) ? rest + y : rest;
}

function floorDivide(x, y) {
    if (y === 0) throw new Undefined("float floor division by zero");
    const rest = x % y;
    const quotient = (x - rest) / y - (rest !== 0 && (y < 0) !== (rest < 0) ? 1 : 0);
    if (quotient === 0) return x / y * 0; // a zero of the sign of x / y
    const whole = Math.floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

// ---- numbers as text

// The n significant digits and the exponent of a finite x ≥ 0, as Python rounds: exact ties to even.
function rounded(x, n) {
    const [mantissa, exponent] = x.toExponential(n - 1).split("e");
    const [longer, lower] = x.toExponential(n).split("e");
    if (longer.endsWith("5") && /^50*$/.test(x.toExponential(100).split("e")[0].replace(".", "").slice(n))) {
        const kept = longer.slice(0, -1).replace(/\.$/, "");
        if (Number(kept.at(-1)) % 2 === 0) return [kept.replace(".", ""), Number(lower)];
    }
    return [mantissa.replace(".", ""), Number(exponent)];
}

// Write digits with the point at its place, or with an exponent outside the range that is given.
function positional(figures, exponent, least, most, whole = "") {
    let text = figures;
    const isShort = least <= exponent && exponent < most;
    if (isShort && exponent < 0) text = "0".repeat(-exponent) + text;
    const point = isShort ? Math.max(exponent, 0) + 1 : 1;
    text = text.padEnd(point, "0");
    const fraction = text.slice(point).replace(/0+$/, "");
    text = text.slice(0, point) + (fraction ? `.${fraction}` : isShort ? whole : "");
    return isShort ? text : `${text}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

// A number for people: n significant digits, or ∞ or NaN; a zero has no sign.  Equal to `digits` in symbol.py on every float.
function digits(x, n) {
    if (Number.isNaN(x)) return "NaN";
    const sign = x < 0 ? "-" : "";
    return sign + (Math.abs(x) === Infinity ? "∞" : positional(...rounded(Math.abs(x), n), -4, n));
}

// Python's repr of a float.
function repr(x) {
    if (Number.isNaN(x)) return "nan";
    const sign = x < 0 || Object.is(x, -0) ? "-" : "";
    if (Math.abs(x) === Infinity) return `${sign}inf`;
    const [mantissa, exponent] = Math.abs(x).toExponential().split("e");
    return sign + positional(mantissa.replace(".", ""), Number(exponent), -4, 16, ".0");
}

// ---- the two readings of a formula

const numberOf = (x) => (x instanceof Formula ? x.value : x);

function spell(row, x) {
    const shown = x.map(repr);
    if (!row.infix) return `${row.name}(${shown.join(", ")})`;
    const [first, ...rest] = shown.map((text) => (text.startsWith("-") ? `(${text})` : text));
    return rest.length ? `${first} ${row.infix} ${rest[0]}` : row.infix + first;
}

class Rows {
    // rows, kinds: what `to_javascript` in javascript.py printed.
    constructor({rows, kinds}) {
        this.rows = rows;
        this.kinds = kinds;
        // An operator fails as in Python, a row that is called by its name in its own words.
        this.numbers = (key, ...x) => (rows[key].infix && rows[key].value ? rows[key].value(...x) : this.evaluate(rows[key], x));
        this.numbers.chain = (key, ...x) => x.reduce((sum, one) => this.numbers(key, sum, one));
        this.formulas = (key, ...x) => this.formula(rows[key], x);
        this.formulas.chain = (key, ...x) => x.reduce((sum, one) => this.formulas(key, sum, one));
    }

    // The value of a row at numbers; Undefined outside its domain, in the words of the row.
    evaluate(row, x) {
        if (row.picks) {
            const chosen = x[row.picks[+(x[0] != 0)]]; // NaN is true, as in Python
            return typeof chosen === "function" ? chosen() : chosen;
        }
        try {
            return row.formula ? row.formula(this.numbers, x) : row.value(...x);
        } catch (error) {
            if (!(error instanceof Undefined)) throw error;
            const needs = row.domain ? `${row.name} needs ${row.domain}` : error.message;
            throw new Undefined(`${spell(row, x)} has no value: ${needs}`);
        }
    }

    // The partial derivatives of a row for those of its operands that are inputs.
    partials({row, rules}, x, out) {
        try {
            return rules(this.numbers, x, out);
        } catch (error) {
            if (!(error instanceof Undefined)) throw error;
            const at = `of the row '${this.rows[row].name}' have no value at ${spell(this.rows[row], x)}`;
            throw new Undefined(`the rules ${at}: ${error.message}`);
        }
    }

    // The formula of a row; where a condition picks an operand, that operand, because of the condition.
    formula(row, x) {
        if (!row.picks) return x.some((one) => one instanceof Formula) ? this.applied(row, x) : this.quietly(row, x);
        const chosen = x[row.picks[+(numberOf(x[0]) != 0)]];
        const picked = typeof chosen === "function" ? chosen() : chosen;
        const twin = Object.assign(new Formula(), picked instanceof Formula ? picked : {value: picked});
        if (x[0] instanceof Formula) twin.given = [...twin.given, x[0]];
        return twin;
    }

    // The formula of a row as it stands.
    applied(row, x, known) {
        const formula = new Formula();
        formula.row = row;
        formula.operands = x;
        formula.given = x.flatMap((one) => (one instanceof Formula ? one.given : []));
        formula.value = known ?? this.quietly(row, x.map(numberOf));
        return formula;
    }

    quietly(row, x) {
        try {
            return this.evaluate(row, x);
        } catch (error) {
            if (!(error instanceof Undefined)) throw error;
            return NaN;
        }
    }

    // The terms of a row that is written as the sum it computes.
    terms({row, operands}) {
        const found = [];
        let sum = row.formula ? row.formula(this.formulas, operands) : 0;
        while (sum instanceof Formula && sum.row?.infix === "+" && sum.operands.length === 2) {
            found.unshift(sum.operands[1]);
            sum = sum.operands[0];
        }
        return [sum, ...found];
    }
}

// A name with its number, or a row applied to formulas and numbers; `given` are the conditions under which it holds.
class Formula {
    name = "";
    value = NaN;
    row = null;
    operands = [];
    given = [];
}

const [COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM] = [0, 1, 2, 3, 4, 5]; // how tightly the outermost operation binds
const LEVELS = {"<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
                "//": PRODUCT, "%": PRODUCT, "**": POWER};
const SIGNS = {"+": " + ", "-": " - ", "*": "·", "/": " / ", "**": "^", "<=": " ≤ ", ">=": " ≥ "};
const LONGEST_SUM = 6;

const factor = (text) => (text.startsWith("-") ? `(${text})` : text);

// Join what is equal by equals signs, and leave out what would stand there twice.
const equation = (...parts) => [...new Set(parts.filter(Boolean))].join(" = ");

// Writes formulas as symbol.py does, with names or with numbers in their place.
class Writer {
    constructor(rows, n, isNumbers) {
        Object.assign(this, {rows, n, isNumbers});
    }

    text(formula) {
        return this.write(formula)[0];
    }

    write(formula) {
        if (!(formula instanceof Formula)) return this.atom(digits(formula, this.n));
        const {row, operands} = formula;
        if (row === null) {
            return this.atom(formula.name && !this.isNumbers ? formula.name : digits(formula.value, this.n));
        }
        if (row.expands) return this.sum(this.rows.terms(formula));
        if (row.text) {
            const binding = row.text.includes("^") ? POWER : /[)\]}|]$/.test(row.text) ? ATOM : SIGN;
            return [this.fill(row.text, operands), LEVELS[row.infix] ?? binding];
        }
        if (row.infix) return this.infix(row.infix, operands);
        const shown = operands.map((x) => this.text(x));
        if (shown.length > LONGEST_SUM) shown.splice(2, shown.length - 3, "…");
        return [`${row.name}(${shown.join(", ")})`, ATOM];
    }

    atom(text) {
        return [text, text.startsWith("-") ? SIGN : ATOM];
    }

    parenthesised(formula, level) {
        const [text, binding] = this.write(formula);
        return binding >= level ? text : `(${text})`;
    }

    sum(terms) {
        const shown = terms.map((term, i) => (i ? factor : String)(this.parenthesised(term, SUM)));
        if (shown.length > LONGEST_SUM) shown.splice(2, shown.length - 4, "…");
        return [shown.join(" + "), shown.length > 1 ? SUM : PRODUCT];
    }

    infix(sign, operands) {
        const written = SIGNS[sign] ?? ` ${sign} `;
        if (operands.length === 1) return [sign + factor(this.parenthesised(operands[0], SIGN)), SIGN];
        const [x, y] = operands;
        const base = this.parenthesised(x, ATOM);
        if (sign === "*" && x instanceof Formula && x === y) return [`${base}²`, POWER];
        if (sign === "**" && !(y instanceof Formula) && Number.isInteger(y) && 0 <= y && y < 10) {
            return [base + "⁰¹²³⁴⁵⁶⁷⁸⁹"[y], POWER];
        }
        if (sign === "**") return [base + written + this.parenthesised(y, SIGN), POWER];
        const level = LEVELS[sign];
        return [this.parenthesised(x, Math.max(level, SUM)) + written + factor(this.parenthesised(y, level + 1)), level];
    }

    // Put operands into a template; after an opening bracket or bar they need no parentheses of their own.
    fill(template, operands) {
        let text = "";
        for (const [part] of template.matchAll(/\{\{|\}\}|\{\d+\}|[^{}]+/g)) {
            const operand = operands[part.slice(1, -1)];
            if (/^\{\d/.test(part)) text += this.parenthesised(operand, /[([{|]$/.test(text) ? COMPARE : ATOM);
            else text += part.replace(/^(\{|\}).$/, "$1");
        }
        return text;
    }
}

// ---- the graph

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
            const short = node.short ?? node.name, kind = rows.kinds[node.kind];
            const recorded = {data: Number(node.data), gradient: Number(node.gradient)};
            return {inputs: [], ...node, ...recorded, short, mark: node.delta ? "δ" : `∂${short}`, kind, row: rows.rows[kind?.row]};
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

    get reached() {
        return this.right.reached;
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

    upstream(p) {
        return this.gradients[p];
    }

    contribution(p, k) {
        return this.edge(p, k).contribution;
    }

    before(p, k) {
        return this.edge(p, k).before;
    }

    total(p, k) {
        return this.edge(p, k).total;
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

    // The state after a step, -1 before the first.  Of a backward step's m edges the k-th travels while t goes from k/m to
    // (k + 1)/m, and has arrived then; in a forward step the values travel, and the node is known when t is 1.
    moment(i, t = 1, steps = this.steps) {
        const known = new Set(this.nodes.keys()), arrived = new Map(), flowed = new Map(), awaited = new Map();
        for (const p of this.order) {
            known.delete(p);
            for (const x of this.nodes[p].inputs) awaited.set(x, (awaited.get(x) ?? 0) + 1);
        }
        const moment = {known, arrived, flowed, active: null, travelling: null};
        for (const step of steps.slice(0, i + 1)) {
            const share = step === steps[i] ? t : 1, m = step.edges.length;
            moment.active = step.node;
            if (step.phase === "backward") {
                known.add(step.node);
                arrived.set(this.loss, arrived.get(this.loss) ?? 1);
            } else if (share >= 1) {
                known.add(step.node);
            }
            step.edges.forEach((edge, k) => {
                const way = share * m - k;
                if (way > 0 && way < 1) moment.travelling = {k, way};
                if (way < 1) return;
                arrived.set(edge.input, edge.total);
                flowed.set(`${step.node}.${k}`, edge);
                awaited.set(edge.input, awaited.get(edge.input) - 1);
            });
            if (share < 1 && step.phase === "forward") moment.travelling = {k: null, way: share};
        }
        moment.complete = new Set([...this.nodes.keys()].filter((p) => !(awaited.get(p) > 0)));
        return moment;
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
        if (phase === "forward") return head + equation(short, this.formula(node), this.numbers(node), this.number(this.values[node]));
        const lines = [`${head}${short} = ${this.formula(node)}, ${this.gradientText(node, upstream)}`];
        lines.push(...edges.map((edge, k) => this.edgeText(node, k, edge)));
        return [...lines, ...(mistake ? [`    wrong: ${mistake}`] : [])].join("\n");
    }
}

// Whether a contribution replaced the gradient instead of being added to it, as only in a mistaken pass.
const overwrites = ({before, contribution, total}) => total !== before + contribution && total === contribution;
