// ---- the rows of a graph, read without being run as a script, so that the page's policy can refuse scripts from elsewhere
//
// The idea: javascript.py prints a small language of objects, lists, numbers, names, calls of a reading `$`, constants and
// functions without effects.  Each part becomes a function of the names in its scope.

class UnreadableError extends Error {}

// Return the rows as `new Graph(data, rows)` takes them; `functions` has the functions of numbers that a row may have, by their text.
function readRows(text, functions) {
    const known = Object.keys(functions).toSorted((a, b) => b.length - a.length);
    let at = 0;

    function fail() {
        throw new UnreadableError(`this page cannot run the row ${text.slice(text.lastIndexOf("\n", at) + 1, at + 60)}`);
    }

    function skip() {
        while (text[at] === " " || text[at] === "\n") at++;
    }

    function take(sign) {
        skip();
        const isThere = text.startsWith(sign, at);
        if (isThere) at += sign.length;
        return isThere;
    }

    function need(sign) {
        if (!take(sign)) fail();
    }

    function match(pattern) {
        skip();
        pattern.lastIndex = at;
        const found = pattern.exec(text)?.[0];
        if (found !== undefined) at += found.length;
        return found;
    }

    // Read parts that are separated by commas, up to a closing sign.
    function list(read, end) {
        const found = [];
        while (!take(end)) {
            found.push(read());
            if (take(end)) break;
            need(",");
        }
        return found;
    }

    const STRING = /"(?:[^"\\]|\\.)*"/y, NUMBER = /-?(?:\d[\d.]*(?:e[-+]?\d+)?|Infinity|NaN)/y, NAME = /[A-Za-z_]\w*/y;

    function constant() {
        const string = match(STRING);
        if (string !== undefined) return JSON.parse(string);
        const number = match(NUMBER);
        if (number !== undefined) return Number(number);
        for (const [word, value] of [["null", null], ["true", true], ["false", false]]) if (take(word)) return value;
        return undefined;
    }

    function value() {
        if (take("{")) return Object.fromEntries(list(entry, "}"));
        if (take("[")) return list(value, "]");
        if (take("(")) return arrow();
        const found = constant();
        return found === undefined ? computed() : found;
    }

    function entry() {
        const string = match(STRING), key = string === undefined ? match(NAME) : JSON.parse(string);
        need(":");
        return [key, key === "value" ? computed() : value()];
    }

    // A function of numbers, which is not parsed but looked up by its text.
    function computed() {
        skip();
        const found = known.find((each) => text.startsWith(each, at));
        if (found === undefined) fail();
        at += found.length;
        return functions[found];
    }

    function arrow() {
        const names = list(() => match(/\$|[a-z]+/y) ?? fail(), ")");
        need("=>");
        const run = body();
        return (...given) => run(Object.assign(Object.create(null), Object.fromEntries(names.map((name, i) => [name, given[i]]))));
    }

    function body() {
        if (!take("{")) return expression();
        const constants = [];
        while (take("const ")) {
            const name = match(NAME);
            need("=");
            constants.push([name, expression()]);
            need(";");
        }
        need("return ");
        const result = expression();
        need(";");
        need("}");
        return (names) => {
            const inside = Object.create(names);
            for (const [name, compute] of constants) inside[name] = compute(inside);
            return result(inside);
        };
    }

    function expression() {
        if (take("$.chain(")) {
            const operands = list(expression, ")");
            return (names) => names.$.chain(...operands.map((each) => each(names)));
        }
        if (take("$(")) {
            const operands = list(expression, ")");
            return (names) => names.$(...operands.map((each) => each(names)));
        }
        if (take("() =>")) {
            const run = body();
            return (names) => () => run(names);
        }
        if (take("[")) {
            const parts = list(expression, "]");
            return (names) => parts.map((each) => each(names));
        }
        const found = constant();
        if (found !== undefined) return () => found;
        const name = match(NAME) ?? fail();
        if (!take("[")) return (names) => names[name];
        const place = constant();
        need("]");
        return (names) => names[name][place];
    }

    const rows = value();
    skip();
    return at === text.length ? rows : fail();
}
