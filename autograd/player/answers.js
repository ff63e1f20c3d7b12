// ---- answers: read, and marked as `Exercise.mark` does
//
// The right numbers, the results of the misconceptions, and the sentences come from Python; here answers are only read and
// compared, with the same tolerances as in answers.py and asking.py.

class Refused extends Error {} // an answer that cannot be read; no points are lost
const unreadable = (text, problem) => new Refused(`'${text}' cannot be read as a number or a formula: ${problem}`);

const MOST_CHARACTERS = 2000; // of an answer, as in tokens.py
const EXACT = 1e-9; // relative: the difference of two numbers that count as the same
const NOISE = 1e-15; // relative: the difference of two sums of the same floats in another order
const FEWEST = 3; // digits of a rounded answer
const SHOWN = 5; // digits of a number in texts and pictures, as in writing.py
const [NEARLY, ROUGHLY] = [0.05, 0.2]; // relative: the error from rounding intermediate results; of one with few digits
const NOTHING = [0, 0, false]; // what `following` gives where nothing has arrived
const NUMERAL = /^((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[¼-¾⅐-⅞])/i;
const WORD = /^([\p{L}_][\p{L}\p{Nd}_₀-₉\u0300-\u036f]*|∞)/u;
const INDEXED = /^\p{L}+(\^?\(\d+\)|\^\{\(\d+\)\})?(_?\d+|_\{\d+\})/u; // w₁ as w_{1}, z⁽²⁾₀ as z^(2)_0
const RAISED = /^(⁻?[⁰¹²³⁴-⁹]+)+/;
const SYMBOL = /^(\*\*|\/\/|[<>=!]=|=[<>]|\S)/u;
const KINDS = [["indexed", INDEXED], ["number", NUMERAL], ["word", WORD], ["raised", RAISED], ["symbol", SYMBOL]]; // of tokens
const ROOTS = {"√": "sqrt", "∛": "cbrt"}, BRACKETS = {"(": ")", "[": "]", "⌊": "⌋", "⌈": "⌉", "|": "|"}; // and what closes them
const CALLED = {"⌊": "floor", "⌈": "ceil", "|": "absolute"}; // the rows of brackets
const CLOSING = {")": "(", "]": "[", "⌋": "⌊", "⌉": "⌈"};
const COMPARISONS = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"};
const AFTER_OPERAND = ["+", "-", "*", "/", "**", "%", "//", ...Object.keys(COMPARISONS), ...Object.keys(CLOSING)];
const NUMBERS = {"∞": Infinity, inf: Infinity, NaN: NaN, nan: NaN, e: Math.E, pi: Math.PI, π: Math.PI, tau: 2 * Math.PI};

const normal = (text) => text.normalize("NFKC");
const plain = (text) => text.replace(/[\p{Nd}\uff01-\uff5e]/gu, normal).replace(/[−–\u2010\u2011]/g, "-"); // as typed on a keyboard
const onOneLine = (name) => normal(name).replace(/[_^{}]/g, ""); // w_{1} as w1, and z^(2)_0 as z(2)0
const isWhole = (pattern, text) => pattern.exec(text)?.[0] === text;

// The places of names by each of their spellings that belongs to only one of them, as in tokens.py.
function spellings(names) {
    const known = [...names.entries()].filter(([, name]) => !isWhole(NUMERAL, name)), found = new Map();
    for (const spell of [onOneLine, normal, String]) {
        const spelled = known.map(([, name]) => plain(spell(name)));
        known.forEach(([place], i) => spelled.filter((text) => text === spelled[i]).length === 1 && found.set(spelled[i], place));
    }
    return found;
}

// The place of the name that a word stands for, however it is spelled, or undefined.
const lookUp = (word, spelled) => spelled.get([word, normal(word), onOneLine(word)].find((each) => spelled.has(each)));

// How a message writes a factor that begins or ends with a token.
function factorOf({text, sign}) {
    const opening = CLOSING[sign] ?? sign;
    return opening in BRACKETS ? `${opening}…${BRACKETS[opening]}` : text;
}

// Reads a number, a fraction, or a formula over the names in the picture, by the grammar of grammar.py and with its messages;
// nothing is run as a program.
class Reader {
    // rows: the Rows of a graph; names: of its nodes, by place; functions: [row, number of operands, whether it takes more, how it
    // is called, a default for the last operand] by name; synonyms: other names of functions; constants: numbers by name; signs: as
    // people and as Python write them; slips: what to write instead of signs that have no meaning; allowed: which have one; advice:
    // pairs of a pattern that an answer which cannot be read may match, and what to write instead.
    constructor(rows, names, {functions, synonyms, constants, signs, slips, allowed, advice}) {
        Object.assign(this, {rows, allowed});
        this.names = spellings(names);
        [this.functions, this.meant, this.signs] = [functions, synonyms, signs].map((table) => new Map(Object.entries(table)));
        this.slips = new Map(Object.entries(slips));
        this.constants = new Map(Object.entries({...NUMBERS, ...constants}));
        this.usable = [...names, ...Object.keys(constants)];
        this.advice = advice.map(([pattern, problem]) => [new RegExp(pattern), problem]);
        const longestFirst = (some) => some.toSorted((a, b) => b.length - a.length);
        this.typed = longestFirst(names.filter((name) => !isWhole(NUMERAL, name)));
        this.odd = longestFirst([...this.names.keys()].filter((name) => ![WORD, NUMERAL].some((each) => isWhole(each, name))));
    }

    // Return {text, at, isFormula, slack}: from the nodes' numbers `at` computes its value, `slack` how far off that may be.
    read(text) {
        this.text = text;
        const n = [...text].length, grouped = (x) => x.toLocaleString("en");
        if (n > MOST_CHARACTERS) throw this.refuse(`${grouped(n)} characters are too many; the limit is ${grouped(MOST_CHARACTERS)}`);
        const typed = plain(text), [, whole, rest] = /^\s*[-+]?([1-9]\d{0,2}),(\d{3})\s*$/.exec(typed) ?? [];
        if (whole) throw this.refuse(`${whole},${rest} can be read in two ways; write ${whole}${rest} or ${whole}.${rest}`);
        this.tokens = this.tokensOf(typed.replace(/^(\s*[-+]?\d*),(\d+(e[-+]?\d+)?\s*)$/i, "$1.$2")); // a number alone
        if (!this.tokens.length) throw this.refuse("the expression is empty");
        this.isFormula = false;
        this.rounded = []; // constants that may be rounded: {value, half, off}, half a unit of the last digit and a change
        this.next = 0;
        this.inside = ""; // the innermost bracket that is open
        try {
            const at = this.comparison(), {rounded} = this;
            if (this.token) throw this.misplaced();
            return {text, at, isFormula: this.isFormula, slack: (numbers) => this.slack(at, rounded, numbers)};
        } catch (error) {
            if (error instanceof RangeError) throw this.refuse("this is nested too deeply to be read"); // the stack is full
            throw error;
        }
    }

    refuse(problem) {
        const bare = this.typed.reduce((rest, name) => rest.replaceAll(name, "x"), this.text);
        const [, instead] = this.advice.find(([pattern]) => pattern.test(bare)) ?? [null, problem];
        return unreadable(this.text, instead);
    }

    tokensOf(text) {
        const tokens = [];
        for (let rest = text.trimStart(); rest; rest = rest.trimStart()) {
            const odd = this.odd.find((name) => rest.startsWith(name));
            const fits = ([kind, pattern]) => {
                const found = pattern.exec(rest);
                return found && (kind !== "indexed" || this.place(found[0]) !== undefined);
            };
            const [kind, pattern] = odd ? ["word"] : KINDS.find(fits);
            const found = odd ?? pattern.exec(rest)[0], sign = kind === "symbol" ? this.signs.get(found) ?? found : "";
            tokens.push({text: found, kind: kind === "indexed" ? "word" : kind, sign});
            rest = rest.slice(found.length);
        }
        return tokens;
    }

    get token() {
        return this.tokens[this.next];
    }

    isAt(sign, ahead = 0) {
        return this.tokens[this.next + ahead]?.sign === sign;
    }

    // Take the next token if it is one of these signs.
    take(...signs) {
        return signs.includes(this.token?.sign) ? this.tokens[this.next++] : null;
    }

    // The place of the node that a word stands for.
    place(word) {
        return lookUp(word, this.names);
    }

    // What is wrong with a sign that has no meaning.
    unknown({text, sign}) {
        return this.slips.get(text) ?? this.slips.get(sign) ?? `${text} has no meaning here; ${this.allowed}`;
    }

    // The refusal of the next token.
    misplaced() {
        const {token} = this, {text, kind, sign} = token, last = this.tokens[this.next - 1];
        const isSlip = this.slips.has(text) || this.slips.has(sign);
        const isOperand = ["word", "number"].includes(kind) || sign in ROOTS || sign in BRACKETS;
        if (isSlip || !isOperand && !(sign in CLOSING)) return this.refuse(this.unknown(token));
        if (!isOperand) return this.refuse(`there is no ${CLOSING[sign]} before ${text}`);
        const advice = last.kind === "number" && kind === "number"
            ? "if this is one number, it is written without spaces, as in 1000 or 1.5"
            : `a product is written ${factorOf(last)}*${factorOf(token)}`;
        return this.refuse(`an operator is missing between ${last.text} and ${text}; ${advice}`);
    }

    // Take the sign that closes a bracket.
    close({text, sign}) {
        if (this.take(BRACKETS[sign])) return;
        throw !this.token || this.token.sign in CLOSING ? this.refuse(`${text} is not closed`) : this.misplaced();
    }

    call(key, ...operands) {
        return (numbers) => this.rows.evaluate(this.rows.rows[key], operands.map((each) => each(numbers)));
    }

    comparison() {
        const left = this.sum(), sign = this.take(...Object.keys(COMPARISONS))?.sign;
        if (!sign) return left;
        const part = this.call(COMPARISONS[sign], left, this.sum());
        if (this.token?.sign in COMPARISONS) throw this.refuse("only two numbers are compared at a time");
        return Object.assign(part, {isCondition: true});
    }

    sum() {
        let left = this.product();
        for (let sign; (sign = this.take("+", "-")?.sign);) left = this.call(sign === "+" ? "add" : "subtract", left, this.product());
        return left;
    }

    product() {
        const rows = {"*": "multiply", "/": "divide", "%": "remainder", "//": "floor_divide"};
        let left = this.signed(), before = ""; // the sign before the last factor, if a product with that could be read in two ways
        for (;;) {
            const token = this.take(...Object.keys(rows));
            if (token) {
                left = this.call(rows[token.sign], left, this.signed());
                before = token.sign === "*" ? "" : token.text;
            } else if (this.isProduct()) {
                const unclear = this.unclear || before, [last, next] = this.tokens.slice(this.next - 1);
                if (unclear) {
                    throw this.refuse(`${last.text}${next.text} after ${unclear} can be read in two ways; `
                        + `write ${factorOf(last)}*${factorOf(next)}, and parentheses around what belongs together`);
                }
                left = this.call("multiply", left, this.power());
            } else return left;
        }
    }

    // Whether the sign of a product is left out before the next token.
    isProduct() {
        const {token} = this, last = this.tokens[this.next - 1];
        const isNumber = last.kind === "number" && /[^0.]/.test(last.text); // 0x10 is not a product
        if (!token || !isNumber && last.kind !== "raised" && last.text !== ")") return false;
        if (token.kind === "word") return !token.text.startsWith("_") && !this.slips.has(token.text);
        return token.sign in ROOTS || token.sign in BRACKETS && !(token.sign === "|" && this.inside === "|");
    }

    signed() {
        const sign = this.take("-", "+")?.sign;
        return sign ? this.call(sign === "-" ? "negative" : "positive", this.signed()) : this.power();
    }

    power() {
        this.unclear = ""; // the sign before the last operand, if a product with it could be read in two ways
        return this.raised(this.operand());
    }

    raised(base) {
        if (this.token?.kind === "raised") return this.call("power", base, this.raised(this.exponent()));
        const sign = this.take("**");
        if (!sign) return base;
        const exponent = this.signed();
        this.unclear = sign.text;
        return this.call("power", base, exponent);
    }

    // A raised exponent: ⁻² is 0 - 2, and ³⁻¹ is 3 - 1.
    exponent() {
        const value = normal(this.tokens[this.next++].text).split("−").map(Number).reduce((left, right) => left - right);
        return () => value;
    }

    operand() {
        const {token} = this;
        if (!token) throw this.refuse("the expression ends too early");
        this.next++;
        if (token.kind === "number") return this.number(token.text);
        if (token.kind === "word") return this.word(token.text);
        if (token.sign in ROOTS) {
            const inner = this.operand();
            this.unclear = token.text;
            return this.call(ROOTS[token.sign], inner);
        }
        if (token.sign in BRACKETS) return this.bracket(token);
        const isMissing = token.kind === "raised" || AFTER_OPERAND.includes(token.sign);
        throw this.refuse(isMissing ? `a number or a name is missing before ${token.text}` : this.unknown(token));
    }

    bracket(token) {
        const {inside} = this, {sign} = token;
        this.inside = sign;
        const inner = this.comparison();
        this.close(token);
        if (sign === "[" && !inner.isCondition) throw this.refuse("[ ] needs a condition, as in [x > 0]; parentheses are ( and )");
        this.inside = inside;
        this.unclear = "";
        return sign in CALLED ? this.call(CALLED[sign], inner) : (numbers) => inner(numbers);
    }

    number(text) {
        const [name] = /e\d+$/i.exec(text) ?? [], [value, below] = normal(text).split("⁄").map(Number); // ½ is 1⁄2
        if (name && this.place(name) !== undefined) {
            const product = `${text.slice(0, -name.length)}*${name}`;
            throw this.refuse(`${text} can be read in two ways; write ${product}, or the number without an exponent`);
        }
        if (below) return () => value / below;
        const [, whole, fraction = "", exponent = 0] = /^(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text);
        if ((whole + fraction).replace(/^0+/, "").length < FEWEST) return () => value;
        const constant = {value, half: 0.5 * 10 ** (exponent - fraction.length), off: 0};
        this.rounded.push(constant);
        return () => constant.value + constant.off;
    }

    // How far off a value may be because the constants in a formula were rounded: a constant of three or more digits stands for
    // all numbers that round to it.
    slack(at, rounded, numbers) {
        const value = at(numbers);
        return rounded.reduce((sum, constant) => {
            constant.off = constant.half;
            const change = attempt(() => Math.abs(at(numbers) - value), () => 0); // no value there: it was not rounded
            constant.off = 0;
            return sum + change;
        }, 0);
    }

    word(text) {
        const place = this.place(text), known = this.functions.get(text === "σ" ? "sigmoid" : normal(text));
        if (this.isAt("(") && known) return this.application(text, known);
        if (this.isAt("(") && place === undefined) {
            const lower = text.toLowerCase(), meant = this.meant.get(lower) ?? lower;
            const product = text.length === 1 ? `; a product is written ${text}*(…)` : "";
            throw this.refuse(`there is no function ${text}` + (this.functions.has(meant) ? `; did you mean ${meant}?` : product));
        }
        if (place !== undefined) {
            this.isFormula = true;
            return (numbers) => numbers[place];
        }
        if (known) return this.raisedFunction(text, known);
        if (this.constants.has(text)) return () => this.constants.get(text);
        const slip = this.slips.get(text) ?? (this.isAt(".") ? this.slips.get(".") : null);
        throw this.refuse(slip ?? `there is no ${text} in this exercise; a formula may use ${this.usable.join(", ")}`);
    }

    // Read tanh²(x) or tanh^2(x): the power of a function's value.
    raisedFunction(text, known) {
        const isSign = this.isAt("**") && this.tokens[this.next + 1]?.kind === "number", exponent = this.token?.text;
        if (!this.isAt("(", 1 + isSign) || !isSign && this.token.kind !== "raised") {
            throw this.refuse(`${text} is a function; it is called as ${known[3]}`);
        }
        if (exponent.includes("⁻")) {
            const power = `${text}(…)**(${plain(normal(exponent))})`, inverse = exponent === "⁻¹" ? ", or the inverse function" : "";
            throw this.refuse(`${text}${exponent} can be read in two ways; write ${power}${inverse}`);
        }
        const power = isSign ? this.number(this.tokens[(this.next += 2) - 1].text) : this.exponent();
        return this.call("power", this.application(text, known), power);
    }

    // Read the operands of a function, and apply it.
    application(name, [key, arity, folds, usage, last]) {
        const opening = this.take("("), {inside} = this, operands = [];
        this.inside = "(";
        const list = arity ? null : this.take("["); // a row of any number of operands, which texts write as a list
        if (!this.isAt(list ? "]" : ")")) do operands.push(this.comparison()); while (this.take(","));
        if (list) this.close(list);
        this.close(opening);
        this.inside = inside;
        this.unclear = "";
        if (folds && operands.length > 2) return operands.reduce((left, right) => this.call(key, left, right));
        if (last !== null && operands.length === arity - 1) operands.push(() => last);
        if (arity ? operands.length !== arity : !operands.length) throw this.refuse(`${name} is called as ${usage}`);
        const row = [key, `${key} ${operands.length}`].find((each) => Object.hasOwn(this.rows.rows, each));
        if (!row) throw this.refuse(`this page cannot compute ${name}`);
        return this.call(row, ...operands);
    }
}

const isClose = (x, y) => Math.abs(x - y) <= Math.max(EXACT * Math.max(Math.abs(x), Math.abs(y)), 1e-15);

// The unit of the third significant digit, the last one that counts.
const unitOf = (size) => (size ? 10 ** (Math.floor(Math.log10(size)) - FEWEST + 1) : 0);

// Whether an answer agrees with the right number in all its decimals, however few these are.
function fits(answer, right) {
    const [, fraction = "", exponent = 0] = /^-?\d\.?(\d*)e(.*)$/.exec(answer.toExponential()) ?? [];
    return Math.abs(answer - right) <= (10 ** -Math.max(0, fraction.length - exponent) / 2) * (1 + EXACT);
}

// Whether an answer is the right number, or agrees with it to three significant digits or three decimals.  For a number after a
// step, `old` is the one before, exact or as shown; then their difference has to be right as well.
function isRounded(answer, right, old = null) {
    if (answer === right || (Number.isNaN(answer) && Number.isNaN(right))) return true;
    if (!Number.isFinite(answer) || !Number.isFinite(right)) return false;
    if (old !== null) return [old, shown(old)].some((start) => isStep(answer, right + (start - old), start));
    if (isClose(answer, right)) return true;
    const unit = unitOf(Math.min(Math.abs(answer), Math.abs(right))); // of two numbers around a power of ten, the finer unit
    let places = FEWEST;
    while (places < 15 && !isClose(answer, Number(answer.toFixed(places)))) places++;
    return Math.abs(answer - right) <= (Math.max(unit, 10 ** -places) / 2) * (1 + EXACT);
}

// Whether an answer is the right number after a step, and precise enough to show the step.
function isStep(answer, right, old) {
    const given = answer - old, wanted = right - old; // the two steps
    const half = (unitOf(Math.min(Math.abs(given), Math.abs(wanted))) / 2) * (1 + EXACT);
    const noise = NOISE * Math.max(Math.abs(answer), Math.abs(old));
    const isSeen = Math.abs(answer - right) <= Math.max(noise, half) || fits(answer, right);
    return isSeen && Math.sign(given) === Math.sign(wanted) && isRounded(answer, right);
}

const shown = (x) => Number(digits(x, SHOWN)); // a number as texts and pictures show it, rounded
const listed = (texts) => [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter(Boolean).join(" and ");

// The parts of a text between commas, semicolons and arrows, except those inside one of the given names, such as f(x, w).
function split(text, names) {
    const escaped = (name) => name.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
    const known = names.toSorted((a, b) => b.length - a.length).map(escaped).join("|");
    return text.match(new RegExp(`(?:${known})(?=\\s*(?:[,;→]|$))|[^\\s,;→](?:[^,;→]*[^\\s,;→])?`, "g")) ?? [];
}

// Marks answers to the questions of an exercise.
class Marker {
    // graph: a Graph; asked: the exercise, as `Exercise.play` in asking.py describes it.
    constructor(graph, asked) {
        this.graph = graph;
        this.asked = asked;
        this.questions = asked.questions.map((question) => ({
            ...question, right: Number(question.right), elsewhere: question.elsewhere.map((pair) => pair.map(Number)),
        }));
        this.scenes = asked.scenes.map((scene) => scene.map(Number));
        this.reader = new Reader(graph.rows, graph.nodes.map(({short}) => short), asked);
    }

    sentence(name, parts) {
        return this.asked.sentences[name].replace(/\{(\w+)\}/g, (_, part) => parts[part]);
    }

    // Read an answer; throw Refused, with one sentence, for anything but a number or a formula.
    read(text) {
        const answer = this.reader.read(text.trim()), {values} = this.graph;
        const value = attempt(() => answer.at(values), ({message}) => {
            throw unreadable(answer.text, message);
        });
        return {...answer, value, rounding: answer.slack(values)};
    }

    // Return a mark for each question; answers: those that were read, by the index of their question.
    mark(answers) {
        return this.questions.map((question, i) => this.markOne(question, answers.get(i), answers));
    }

    markOne(question, answer, answers) {
        const {name, right, rate, node} = question, old = rate === null ? null : this.graph.values[node];
        const marked = (points, sentence, names = [], parts = {}) => {
            const text = this.sentence(sentence, {name, answer: answer?.text, names: names.join(", "), ...parts});
            return {points, sentence: text, names, isRight: ["right", "from rounded", "only here"].includes(sentence)};
        };
        if (!answer) return marked(0, "unanswered");
        const isNear = old === null && Math.abs(answer.value - right) <= Math.min(answer.rounding, ROUGHLY * Math.abs(right));
        if (isNear || isRounded(answer.value, right, old)) {
            if (!answer.isFormula || (this.scenes.length && this.holds(question, answer))) return marked(1, "right");
            return this.scenes.length ? marked(0.5, "right here") : marked(1, "only here");
        }
        if (old !== null && !answer.isFormula && [old, shown(old)].includes(answer.value) && fits(answer.value, right)) {
            return marked(0, "too few digits", [], {old: this.graph.number(old)});
        }
        if (question.place === null && old === null) {
            const [following, twice, isWrong] = this.following(answers).get(question.node) ?? NOTHING;
            const follows = isRounded(answer.value, following) && !isRounded(answer.value, twice);
            if (follows) return marked(1, isWrong ? "from wrong" : "from rounded");
        }
        const found = this.explanations(question, answer, old), names = [...new Set(found.map((each) => each.name))];
        if (!found.length) return marked(0, "unexplained", [], {way: question.way});
        const words = names.slice(0, 2).map((each) => found.find(({name}) => name === each).words).join(", or ");
        const shows = answer.value !== (old ?? 0); // a 0, or a step of 0, has no part that is right
        const points = shows ? Math.max(...found.map((each) => each.points)) : 0;
        return marked(points, "explained", names, {words});
    }

    // Whether a formula is the derivative at other numbers as well.
    holds({elsewhere}, {at, slack}) {
        return elsewhere.every(([right, scale], i) => attempt(() => {
            const numbers = this.scenes[i], found = at(numbers);
            return found === right || Math.abs(found - right) <= scale + slack(numbers);
        }, () => false));
    }

    // The gradient of each node as it follows from the answers above it, the same from answers twice as large, and whether one
    // of the answers is wrong.
    following(answers) {
        const {graph} = this, found = new Map([[graph.loss, [1, 1, false]]]), given = new Map();
        this.questions.forEach(({node, place, rate, right}, i) => {
            if (answers.has(i) && place === null && rate === null) given.set(node, {value: answers.get(i).value, right});
        });
        for (const p of graph.order.toReversed()) {
            if (!found.has(p)) continue;
            let [delta, twice, isWrong] = found.get(p);
            if (given.has(p)) {
                const {value, right} = given.get(p), follows = isRounded(value, delta);
                [delta, twice, isWrong] = [value, 2 * value, !isRounded(value, right) && (isWrong || !follows)];
            }
            graph.nodes[p].inputs.forEach((x, k) => {
                if (!graph.isTaken(p, k)) return;
                const [total, doubled, wasWrong] = found.get(x) ?? NOTHING, partial = graph.partial(p, k);
                found.set(x, [total + delta * partial, doubled + twice * partial, wasWrong || isWrong]);
            });
        }
        return found;
    }

    // The misconceptions that lead to an answer, compared in the digits that it has; a formula was not rounded too early.
    explanations({suspects, right}, {value, isFormula}, old) {
        if (!Number.isFinite(value)) return [];
        const start = old ?? 0, exact = 2 * EXACT * Math.abs(value - start) + 1e-15;
        const off = ({gradient}) => Math.max(Math.abs(gradient - value), exact);
        let found = suspects.map(([name, words, gradient, points]) => ({name, words: this.asked.words[words], gradient, points}))
            .filter(({name, gradient}) => isRounded(value, gradient, old) && !(isFormula && name === "rounded-too-early"))
            .sort((one, other) => off(one) - off(other));
        if (found.length && off(found[0]) <= exact) found = found.filter((each) => off(each) <= exact);
        if (found.length || isFormula || !Number.isFinite(right)) return found;
        const unit = 10 ** -(repr(value).split(".")[1] ?? "").length, size = Math.abs(right - start);
        const nearly = Math.max(NEARLY * size, Math.min(unit, ROUGHLY * size));
        return Math.abs(value - right) <= nearly ? [{name: "rounded-too-early", words: this.asked.rounded, points: 0.5}] : [];
    }

    // Mark an order, places of operations.
    markOrder(order) {
        const {graph} = this, name = (p) => graph.nodes[p].short;
        const waits = (p, i) => graph.order.filter((q) => graph.nodes[q].inputs.includes(p) && !order.slice(0, i).includes(q));
        const late = order.flatMap((p, i) => (waits(p, i).length ? [[p, i]] : []));
        const missing = graph.order.filter((p) => !order.includes(p));
        const again = order.length - new Set(order).size;
        const points = Math.max(0, 1 - (late.length + missing.length + again) / graph.order.length);
        const marked = (sentence, parts, names = []) =>
            ({points, sentence: this.sentence(sentence, parts), names, isRight: sentence === "order"});
        if (late.length) {
            const [p, i] = late[0];
            return marked("too early", {node: name(p), users: listed(waits(p, i).map(name))}, ["too-early"]);
        }
        if (missing.length) return marked("missing", {nodes: listed(missing.map(name))});
        return again ? marked("twice", {}) : marked("order", {});
    }
}
