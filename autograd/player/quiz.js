// ---- predict, then reveal: the questions, which answers count as right, and hints for wrong ones

// Read a number as people write it: 1/2, ½, -0.5, −0.5, ,5 or ∞, also in full width; NaN for 1,000, which may be 1 as well.
function read(text) {
    const usual = text.trim().replace(/[！-～]|(?<!\d)[¼-¾⅐-⅞]/g, (c) => c.normalize("NFKC")).replace(/[−–]/g, "-");
    if (/^[-+]?[1-9]\d{0,2},\d{3}$/.test(usual)) return NaN;
    const plain = usual.replaceAll(",", ".").replace(/inf(inity)?|∞/i, "Infinity");
    const [above, below, ...rest] = plain.split(/[/÷⁄]/).map((part) => (part.trim() ? Number(part) : NaN));
    return rest.length ? NaN : below === undefined ? above : above / below;
}

const SIGNS = {minus: ["negative", "-"], zero: ["zero", "0"], plus: ["positive", "+"]}; // each in words and as a sign
const NOUGHT = 1e-12; // rounding may leave this much of a zero

// Whether a prediction is right within a hundredth, the precision of mental arithmetic.
function agrees(guess, right) {
    if (Number.isNaN(right) || !Number.isFinite(right)) return Object.is(guess, right);
    return Math.abs(guess - right) <= Math.abs(right) / 100 || (guess === 0 && Math.abs(right) < NOUGHT);
}

class Quiz {
    constructor(player) {
        this.player = player;
        this.isOn = this.isAsking = this.onlySigns = false;
        this.right = this.asked = 0;
        this.fields = [];
    }

    start() {
        this.isAsking = this.isOn;
    }

    toggle() {
        this.isOn = !this.isOn;
        [this.right, this.asked] = [0, 0];
        this.again();
    }

    again() {
        this.start();
        this.player.build();
        this.player.draw(Infinity);
        if (this.isAsking) this.focus();
        else this.player.find(".predict").focus({preventScroll: true});
    }

    // Put the cursor where the answer belongs.
    focus() {
        this.player.find(".card .guess, .card .sign")?.focus({preventScroll: true});
    }

    // A field for a prediction; `context` leads to the numbers with which a wrong one is compared.
    field(label, answer, context) {
        const element = made("span", {className: "asked"}), field = {element, answer, context, guess: ""};
        if (this.onlySigns) {
            for (const [word, sign] of Object.values(SIGNS)) {
                const click = () => {
                    field.guess = sign;
                    for (const each of element.children) each.ariaPressed = each.dataset.sign === sign;
                };
                element.append(made("button", {type: "button", className: "sign", ariaLabel: `${label}: ${word}`,
                                               ariaPressed: "false", data: {sign}, on: {click}}, sign));
            }
        } else {
            const input = made("input", {className: "guess", type: "text", autocomplete: "off",
                ariaLabel: `your prediction: ${label}`});
            input.addEventListener("input", () => (field.guess = input.value.trim()));
            element.append(input);
        }
        this.fields.push(field);
        return element;
    }

    reveal() {
        const {player} = this, hadFocus = player.root.activeElement?.matches(".guess, .reveal, .sign");
        for (const {element, answer, context, guess} of this.fields) {
            const right = answer(), isRight = this.isRight(guess, right);
            if (guess) {
                this.asked++;
                this.right += isRight;
            }
            const hint = isRight ? "" : this.hint(read(guess), right, context);
            const verdict = guess && (isRight ? `✓ ${guess} is right` : `✗ not ${guess}${hint && `: ${hint}`}`);
            element.replaceWith(made("span", {className: `verdict ${isRight ? "right" : "wrong"}`}, verdict));
        }
        this.fields = [];
        this.isAsking = false;
        player.find(".score").textContent = this.asked ? `${this.right} of ${this.asked} right` : "";
        player.draw(Infinity);
        player.announce();
        player.showControls();
        if (hadFocus) player.find(".next").focus({preventScroll: true});
    }

    // Whether a guess, a sign or the text of a number, is right.
    isRight(guess, right) {
        if (this.onlySigns) return SIGNS[signOf(right)]?.[1] === guess;
        return agrees(read(guess), right) || (/^nan$/i.test(guess) && Number.isNaN(right));
    }

    // A hint for a wrong number, or a wrong sign.
    hint(guess, right, {edge, node}) {
        if (this.onlySigns) return Number.isNaN(right) ? "NaN has no sign" : "";
        if (Number.isNaN(guess)) return "a number, such as 1/2 or -0.5";
        if (right !== 0 && agrees(guess, -right)) return "the sign";
        if (!edge) return this.hintOfValue(guess, node);
        const {upstream, partial, contribution} = edge(), {graph, step} = this.player;
        const others = step.edges.filter((each) => each.partial !== partial).map((each) => each.partial);
        if (right === contribution && right !== partial) {
            if (agrees(guess, upstream)) return `the local derivative ${graph.number(partial)} is missing`;
            if (agrees(guess, partial)) return `the upstream gradient ${graph.number(upstream)} is missing`;
            if (agrees(guess, upstream + partial)) return "multiply, do not add";
            if (others.some((other) => agrees(guess, upstream * other))) return "that flows to the other operand";
        } else {
            if (agrees(guess, contribution)) return "that is the contribution, with the upstream gradient in it";
            if (others.some((other) => agrees(guess, other))) return "that belongs to the other operand";
        }
        return agrees(guess, graph.values[edge().input]) ? "that is the value of the operand" : "";
    }

    hintOfValue(guess, node) {
        const {graph} = this.player, operand = graph.nodes[node].inputs.find((place) => agrees(guess, graph.values[place]));
        return operand === undefined ? "" : `that is ${graph.nodes[operand].short}`;
    }
}
