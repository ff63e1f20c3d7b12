"use strict";
// Formulas, computed and written: two readings of the rows that javascript.py prints.
//
// The idea: a formula is a function of a reading `$`, where $("tanh", x) applies the row "tanh".  Read as numbers it computes,
// with the same operations in the same order as Python; read as formulas it is written, by the same rules as in writing.py.

// ---- Python's functions where JavaScript computes differently, or not at all

class Undefined extends Error {} // an operation without a value at its operands, like a ValueError in Python

// Return the result of a computation or, if an operation in it has no value, what `instead` returns for the error.
function attempt(compute, instead) {
    try {
        return compute();
    } catch (error) {
        if (!(error instanceof Undefined)) throw error;
        return instead(error);
    }
}

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

// Stands for a branch of `where` that Python did not call, so that the page does not have it.
function uncalled() {
    throw new Undefined("where now takes a branch that was not called when the graph was recorded; pass numbers or nodes to where, not functions");
}

// ---- numbers as text

// The n significant digits and the exponent of a finite x ≥ 0, rounded as in Python: exact ties to even.
function rounded(x, n) {
    const [mantissa, exponent] = x.toExponential(n - 1).split("e");
    const [longer, lower] = x.toExponential(n).split("e");
    if (longer.endsWith("5") && /^50*$/.test(x.toExponential(100).split("e")[0].replace(".", "").slice(n))) {
        const kept = longer.slice(0, -1).replace(/\.$/, "");
        if (Number(kept.at(-1)) % 2 === 0) return [kept.replace(".", ""), Number(lower)];
    }
    return [mantissa.replace(".", ""), Number(exponent)];
}

// Write digits with a decimal point, or, unless least <= exponent < most, with an exponent; `whole` ends whole numbers.
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

// A number as text: n significant digits, or ∞ or NaN; a zero has no sign.  Equal to `digits` in writing.py on every float.
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
const same = (x, y) => x === y || (Number.isNaN(x) && Number.isNaN(y));

function spell(row, x) {
    const shown = x.map(repr);
    if (!row.infix) return `${row.name}(${shown.join(", ")})`;
    const [first, ...rest] = shown.map((text) => (text.startsWith("-") ? `(${text})` : text));
    return rest.length ? `${first} ${row.infix} ${rest[0]}` : row.infix + first;
}

class Rows {
    // rows, kinds: as printed by `to_javascript` in javascript.py.
    constructor({rows, kinds}) {
        this.rows = rows;
        this.kinds = kinds;
        // An operator fails with Python's message; a row that is called by its name fails with its own.
        const isOperator = ({infix, value}) => infix && value;
        this.numbers = (key, ...x) => (isOperator(rows[key]) ? rows[key].value(...x) : this.evaluate(rows[key], x));
        this.numbers.chain = (key, ...x) => x.reduce((sum, one) => this.numbers(key, sum, one));
        this.formulas = (key, ...x) => this.formula(rows[key], x);
        this.formulas.chain = (key, ...x) => x.reduce((sum, one) => this.formulas(key, sum, one));
    }

    // The value of a row at numbers; outside its domain, throw Undefined with a message about the row.
    evaluate(row, x) {
        if (row.picks) {
            const chosen = x[row.picks[+(x[0] != 0)]]; // NaN is true, as in Python
            return typeof chosen === "function" ? chosen() : chosen;
        }
        return attempt(() => (row.formula ? row.formula(this.numbers, x) : row.value(...x)), ({message}) => {
            throw new Undefined(`${spell(row, x)} is undefined: ${row.domain ? `${row.name} needs ${row.domain}` : message}`);
        });
    }

    // The partial derivatives of a row for those of its operands that are inputs.
    partials({row, rules}, x, out) {
        return attempt(() => rules(this.numbers, x, out), ({message}) => {
            throw new Undefined(`the rules of the row '${this.rows[row].name}' are undefined at ${spell(this.rows[row], x)}: ${message}`);
        });
    }

    // The formula of a row applied to operands; if a condition picks one of them, that operand, given the condition.
    formula(row, x) {
        if (!row.picks) return x.some((one) => one instanceof Formula) ? this.applied(row, x) : this.valueOrNaN(row, x);
        const chosen = x[row.picks[+(numberOf(x[0]) != 0)]];
        const picked = typeof chosen === "function" ? chosen() : chosen;
        const copy = new Formula(picked instanceof Formula ? picked : {value: picked});
        if (x[0] instanceof Formula) copy.given = [...copy.given, x[0]];
        return copy;
    }

    // The formula of a row applied to operands, even if a condition picks one of them.
    applied(row, x, known) {
        const given = x.flatMap((one) => (one instanceof Formula ? one.given : []));
        return new Formula({row, operands: x, given, value: known ?? this.valueOrNaN(row, x.map(numberOf))});
    }

    valueOrNaN(row, x) {
        return attempt(() => this.evaluate(row, x), () => NaN);
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
    constructor({name = "", value = NaN, row = null, operands = [], given = []}) {
        Object.assign(this, {name, value, row, operands, given});
    }
}

const [SUM, PRODUCT, SIGN, POWER, ATOM] = [1, 2, 3, 4, 5]; // how tightly the outermost operation binds, as in writing.py
const LONGEST_SUM = 6;

const factor = (text) => (text.startsWith("-") ? `(${text})` : text);

// Join equal texts by equals signs, each text once.
const equation = (...parts) => [...new Set(parts.filter(Boolean))].join(" = ");

// Writes formulas as writing.py does, with names or with numbers in their place.
class Writer {
    constructor(rows, n, isNumbers) {
        Object.assign(this, {rows, n, isNumbers});
    }

    text(formula) {
        return this.write(formula)[0];
    }

    write(formula) {
        if (!(formula instanceof Formula)) return this.atom(formula === uncalled ? "…" : digits(formula, this.n));
        const {row, operands} = formula;
        if (row === null) {
            return this.atom(formula.name && !this.isNumbers ? formula.name : digits(formula.value, this.n));
        }
        if (row.expands) return this.sum(this.rows.terms(formula));
        if (row.text) {
            const shown = row.text.map((part) => (typeof part === "string" ? part : this.parenthesised(operands[part[0]], part[1])));
            return [shown.join(""), row.binding];
        }
        if (row.infix) return this.infix(row, operands);
        const shown = operands.map((x) => this.text(x));
        if (shown.length > LONGEST_SUM) shown.splice(2, shown.length - 3, "…");
        return [row.list ? `${row.name}([${shown.join(", ")}])` : `${row.name}(${shown.join(", ")})`, ATOM];
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

    infix({infix, sign, binding}, operands) {
        if (operands.length === 1) {
            const text = this.parenthesised(operands[0], SIGN);
            return [infix + (infix + text === "-0" ? "(0)" : factor(text)), SIGN]; // nobody writes -0
        }
        const [x, y] = operands;
        const base = this.parenthesised(x, ATOM);
        if (infix === "*" && x instanceof Formula && x === y) return [`${base}²`, POWER];
        if (infix === "**" && !(y instanceof Formula) && Number.isInteger(y) && 0 <= y && y < 10) {
            return [base + "⁰¹²³⁴⁵⁶⁷⁸⁹"[y], POWER];
        }
        if (infix === "**") return [base + sign + this.parenthesised(y, SIGN), POWER];
        const level = infix === "*" && x.row?.infix === "/" ? ATOM : Math.max(binding, SUM);
        return [this.parenthesised(x, level) + sign + factor(this.parenthesised(y, binding + 1)), binding];
    }
}
