// ---- answers: read, and marked as `Exercise.mark` does
//
// The right numbers, the results of the misconceptions, and the sentences come from Python; here answers are only read and
// compared, with the same tolerances as in answers.py and asking.py.

class Refused extends Error {} // an answer that cannot be read; no points are lost

const MOST_CHARACTERS = 2000; // of an answer, as in expressions.py
const EXACT = 1e-9; // relative: the difference of two numbers that count as the same
const NOISE = 1e-15; // relative: the difference of two sums of the same floats in another order
const FEWEST = 3; // digits of a rounded answer
const SHOWN = 5; // digits of a number in texts and pictures, as in writing.py
const [NEARLY, ROUGHLY] = [0.05, 0.2]; // relative: the error of an answer rounded on the way; of one with few digits
const NOTHING = [0, 0, false]; // what `following` gives where nothing has arrived
const NUMERAL = /^((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[¼-¾⅐-⅞])/i;
const WORD = /^([\p{L}_][\p{L}\p{Nd}_₀-₉]*|∞)/u;
const RAISED = /^(⁻?[⁰¹²³⁴-⁹]+)+/;
const OPERATOR = /^(\*\*|\/\/|[<>]=|[-+*/%^(),−–·⋅∙∗×÷<>≤≥|[\]⌊⌋⌈⌉√∛])/;
const KINDS = {word: WORD, number: NUMERAL, raised: RAISED, sign: OPERATOR}; // of tokens, the first that fits
const SPELLED = {"−": "-", "–": "-", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "×": "*", "÷": "/", "^": "**", "≤": "<=", "≥": ">="};
const ROOTS = {"√": "sqrt", "∛": "cbrt"}, BRACKETS = {"(": ")", "[": "]", "⌊": "⌋", "⌈": "⌉", "|": "|"}; // and what closes them
const CALLED = {"⌊": "floor", "⌈": "ceil", "|": "absolute"}; // the rows of brackets
const NUMBERS = {"∞": Infinity, inf: Infinity, NaN: NaN, nan: NaN, e: Math.E, pi: Math.PI, π: Math.PI, tau: 2 * Math.PI};

// Reads a number, a fraction, or a formula over the names in the picture; nothing is run as a program.
class Reader {
    // rows: the Rows of a graph; names: of its nodes, by place; functions: [row, number of operands, whether it takes more] by
    // name; synonyms: other names of functions; constants: numbers by name; advice: pairs of a pattern that an answer which
    // cannot be read may match, and what to write instead.
    constructor(rows, names, {functions, synonyms, constants, advice}) {
        Object.assign(this, {rows, names});
        this.functions = new Map(Object.entries(functions));
        this.meant = new Map(Object.entries(synonyms));
        this.constants = new Map(Object.entries({...NUMBERS, ...constants}));
        this.usable = [...names, ...Object.keys(constants)];
        this.advice = advice.map(([pattern, problem]) => [new RegExp(pattern), problem]);
        this.normal = names.map((name) => name.normalize("NFKC"));
        const isOdd = (name) => ![WORD, NUMERAL].some((each) => each.exec(name)?.[0] === name); // not one token
        const odd = names.filter(isOdd);
        const typed = odd.map((name) => name.normalize("NFKC")).filter((name) => WORD.test(name) && isOdd(name)); // w(1)00 for w⁽¹⁾₀₀
        this.odd = [...odd, ...typed].sort((a, b) => b.length - a.length);
    }

    // Return {text, at, isFormula, slack}: from the nodes' numbers `at` computes its value, `slack` how far off that may be.
    read(text) {
        const bare = this.odd.reduce((rest, name) => rest.replaceAll(name, "x"), text);
        const refuse = (problem) => {
            const [, instead] = this.advice.find(([pattern]) => pattern.test(bare)) ?? [null, problem];
            return new Refused(`'${text}' cannot be read as a number or a formula: ${instead}`);
        };
        if (text.length > MOST_CHARACTERS) throw refuse(`it is longer than ${MOST_CHARACTERS} characters`);
        const plain = text.replace(/\p{Nd}/gu, (digit) => digit.normalize("NFKC")); // of full width, too
        this.tokens = this.split(plain.replace(/^([-−–+]?\d*),(\d+(e[-+]?\d+)?)$/i, "$1.$2"), refuse);
        this.refuse = refuse;
        this.isFormula = false;
        this.rounded = []; // constants that may be rounded: {value, half, off}, half a unit of the last digit and a change
        this.next = 0;
        try {
            const at = this.comparison(), {rounded} = this;
            if (this.token) throw this.misplaced();
            return {text, at, isFormula: this.isFormula, slack: (numbers) => this.slack(at, rounded, numbers)};
        } catch (error) {
            if (error instanceof RangeError) throw refuse("it is nested too deeply"); // the stack is full
            throw error;
        }
    }

    split(text, refuse) {
        const tokens = [];
        for (let rest = text.trimStart(); rest; rest = rest.trimStart()) {
            const odd = this.odd.find((name) => rest.startsWith(name));
            const kind = odd ? "word" : Object.keys(KINDS).find((each) => KINDS[each].test(rest));
            if (!kind) throw refuse(`${[...rest][0]} has no meaning here`);
            const found = odd ?? KINDS[kind].exec(rest)[0];
            tokens.push({text: found, kind, sign: kind === "sign" ? SPELLED[found] ?? found : undefined});
            rest = rest.slice(found.length);
        }
        return tokens;
    }

    get token() {
        return this.tokens[this.next];
    }

    // Take the next token if it is one of these signs.
    take(...signs) {
        const sign = this.token?.sign;
        if (!signs.includes(sign)) return null;
        this.next++;
        return sign;
    }

    // The refusal of the next token.
    misplaced() {
        const {text, sign} = this.token, isOperand = !sign || Object.hasOwn(BRACKETS, text) || Object.hasOwn(ROOTS, text);
        if (isOperand) return this.refuse(`an operator is missing before ${text}; a product is written with *`);
        return this.refuse(`${text} has no meaning here`);
    }

    // Take the sign that closes a bracket.
    close(opening) {
        if (this.take(BRACKETS[opening])) return;
        throw this.token ? this.misplaced() : this.refuse(`${opening} is not closed`);
    }

    call(key, ...operands) {
        return (numbers) => this.rows.evaluate(this.rows.rows[key], operands.map((each) => each(numbers)));
    }

    // A chain of operations of one level, from left to right.
    chain(part, rows) {
        const takeSign = () => this.take(...Object.keys(rows));
        let left = part();
        for (let sign = takeSign(); sign; sign = takeSign()) left = this.call(rows[sign], left, part());
        return left;
    }

    // A comparison of two numbers or, unless it has to be a condition, one number.
    comparison(isCondition = false) {
        const left = this.sum(), sign = this.take("<", "<=", ">", ">=");
        const rows = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"};
        if (!sign && isCondition) throw this.refuse("[ ] needs a condition, as in [x > 0]; parentheses are ( and )");
        return sign ? this.call(rows[sign], left, this.sum()) : left;
    }

    sum() {
        return this.chain(() => this.product(), {"+": "add", "-": "subtract"});
    }

    product() {
        return this.chain(() => this.signed(), {"*": "multiply", "/": "divide", "%": "remainder", "//": "floor_divide"});
    }

    signed() {
        const sign = this.take("-", "+");
        if (!sign) return this.power();
        return this.call(sign === "-" ? "negative" : "positive", this.signed());
    }

    power(base = this.atom()) {
        if (this.token?.kind !== "raised") return this.take("**") ? this.call("power", base, this.signed()) : base;
        const numbers = this.tokens[this.next++].text.normalize("NFKC").split("−").map(Number);
        const exponent = numbers.reduce((left, right) => left - right); // ⁻² is 0 - 2, and ³⁻¹ is 3 - 1
        return this.call("power", base, this.power(() => exponent));
    }

    atom() {
        const {token} = this;
        if (!token) throw this.refuse("it ends too early");
        this.next++;
        if (token.kind === "number") return this.number(token.text);
        if (token.kind === "word") return this.word(token.text);
        if (Object.hasOwn(ROOTS, token.text)) return this.call(ROOTS[token.text], this.atom());
        if (!Object.hasOwn(BRACKETS, token.text)) throw this.refuse(`a number or a name is missing before ${token.text}`);
        const inner = this.comparison(token.text === "[");
        this.close(token.text);
        return token.text in CALLED ? this.call(CALLED[token.text], inner) : inner;
    }

    number(text) {
        const [value, below] = text.normalize("NFKC").split("⁄").map(Number); // ½ is 1⁄2
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

    word(name) {
        const exact = this.names.indexOf(name), place = exact < 0 ? this.normal.indexOf(name.normalize("NFKC")) : exact;
        const known = this.functions.get(name === "σ" ? "sigmoid" : name);
        if (known && this.take("(")) return this.application(name, ...known);
        if (place >= 0) {
            this.isFormula = true;
            return (numbers) => numbers[place];
        }
        if (known) throw this.refuse(`${name} is a function; it is written ${name}(…)`);
        if (this.constants.has(name)) return () => this.constants.get(name);
        const plain = name.toLowerCase(), meant = this.meant.get(plain) ?? plain;
        const advice = this.functions.has(meant) ? `; did you mean ${meant}?` : "";
        if (this.token?.sign === "(") throw this.refuse(`there is no function ${name}${advice}`);
        throw this.refuse(`there is no ${name} in this exercise; a formula may use ${this.usable.join(", ")}`);
    }

    application(name, key, arity, folds) {
        const isList = !arity && this.take("["); // a row of any number of operands, which texts write as a list
        const operands = [this.comparison()];
        while (this.take(",")) operands.push(this.comparison());
        if (isList) this.close("[");
        this.close("(");
        if (folds && operands.length > 2) return operands.reduce((left, right) => this.call(key, left, right));
        if (arity && operands.length !== arity) {
            const wanted = arity === 1 ? "one number" : `${arity} numbers${folds ? " or more" : ""}`;
            throw this.refuse(`${name} takes ${wanted}`);
        }
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
            throw new Refused(`'${answer.text}' cannot be read as a number or a formula: ${message}`);
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

    // The misconceptions that lead to an answer, compared in the digits that it has.
    explanations({suspects, right}, {value, isFormula}, old) {
        if (!Number.isFinite(value)) return [];
        const every = suspects.map(([name, words, gradient, points]) => ({name, words: this.asked.words[words], gradient, points}));
        const all = isFormula ? every.filter(({name}) => name !== "rounded-on-the-way") : every; // formulas are not rounded
        const start = old ?? 0, same = 2 * EXACT * Math.abs(value - start) + 1e-15;
        const off = ({gradient}) => Math.max(Math.abs(gradient - value), same);
        let fits = all.filter(({gradient}) => isRounded(value, gradient, old)).sort((one, other) => off(one) - off(other));
        if (fits.length && off(fits[0]) <= same) fits = fits.filter((each) => off(each) <= same);
        if (fits.length || isFormula || !Number.isFinite(right)) return fits;
        const unit = 10 ** -(repr(value).split(".")[1] ?? "").length, size = Math.abs(right - start);
        const nearly = Math.max(NEARLY * size, Math.min(unit, ROUGHLY * size));
        return Math.abs(value - right) <= nearly ? [{name: "rounded-on-the-way", words: this.asked.rounded, points: 0.5}] : [];
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
            const [p] = late[0];
            return marked("too early", {node: name(p), users: listed(waits(p, order.indexOf(p)).map(name))}, ["too-early"]);
        }
        if (missing.length) return marked("missing", {nodes: listed(missing.map(name))});
        return again ? marked("twice", {}) : marked("order", {});
    }
}
