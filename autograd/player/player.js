// Python has printed the page, every number included; this turns its leaves.  It looks at nothing outside the player's own
// element, and nothing there has an id, so any number of players may share a page.
(() => {
  "use strict";
  const PACE = 2000; // milliseconds that a step stays while playing
  const numbers = (text) => text.split(" ").map(Number);

  // What can be seen at one place of a run, as a function of its trace.
  function momentOf(nodes, steps, place, revealed) {
    const known = new Set(nodes.filter((node) => node.operation === null).map((node) => node.id));
    const deltas = new Map(), flows = new Map(), passed = new Set();
    steps.slice(0, place + 1).forEach((step, i) => {
      const told = i < place || revealed;
      if (step.phase === "forward") {
        if (told) known.add(step.node);
        return;
      }
      deltas.set(step.node, step.says);
      if (!told) return;
      passed.add(step.node);
      step.edges.forEach((edge, k) => {
        flows.set(`${step.node}.${k}`, edge.flow);
        deltas.set(edge.input, edge.says);
      });
    });
    const { phase, node } = steps[place] ?? { phase: "forward", node: null };
    return { phase, active: node, known, deltas, flows, passed };
  }

  // Bring a picture or a ledger to a moment.
  function show(part, { phase, active, known, deltas, flows, passed }) {
    const reached = phase === "forward" ? known : deltas, done = phase === "forward" ? known : passed;
    const write = (text, says) => {
      text.classList.toggle("unseen", says === undefined);
      text.textContent = says ?? "…";
    };
    for (const text of part.querySelectorAll("[data-value]"))
      text.classList.toggle("unseen", !known.has(+text.dataset.value));
    for (const text of part.querySelectorAll("[data-delta]")) write(text, deltas.get(+text.dataset.delta));
    for (const flow of part.querySelectorAll("[data-flow]")) {
      flow.classList.toggle("pending", !flows.has(flow.dataset.flow));
      for (const label of flow.querySelectorAll(".flow")) write(label, flows.get(flow.dataset.flow));
    }
    let home = null; // what the arrows of this step lead to: a neuron is one box for two nodes
    for (const box of part.querySelectorAll(".box")) {
      const inside = numbers(box.dataset.nodes), here = inside.includes(active);
      if (here) home = inside[0];
      box.classList.toggle("active", here);
      box.classList.toggle("faint", !here && !inside.some((id) => reached.has(id)));
      const seen = [...box.querySelectorAll("text")].flatMap((text) => (text.matches(".unseen") ? [] : [wordsOf(text)]));
      box.setAttribute("aria-label", seen.join(", "));
    }
    for (const arrow of part.querySelectorAll(".arrow")) {
      const to = +arrow.dataset.to;
      arrow.classList.toggle("active", to === home);
      arrow.classList.toggle("faint", to !== home && !done.has(to));
    }
  }

  const wordsOf = (text) => {
    const seen = [...text.childNodes].filter((child) => !child.classList?.contains("unseen"));
    return seen.map((child) => child.textContent).join("");
  };

  function start(root) {
    const find = (selector) => root.querySelector(selector), all = (selector) => [...root.querySelectorAll(selector)];
    const { nodes, steps, mistakes } = JSON.parse(find(".trace").textContent);
    const stages = all(".stages > .stage"), cards = all(".steps > .step"), ledgers = all(".ledgers > section");
    const slider = find(".slider"), last = steps.length - 1;
    let place = 0, revealed = true, predicting = false, timer = null, view = "nodes", opened = null;
    root.dataset.ready = "";
    if (last < 0) return; // a leaf: there is nothing to be stepped through

    const isAside = (...ids) => opened !== null && !ids.some((id) => opened.has(id));

    function render() {
      const moment = momentOf(nodes, steps, place, revealed), { phase, node, text, formula } = steps[place];
      const [where] = text.split(":", 1);
      root.dataset.phase = phase;
      for (const stage of stages) {
        stage.hidden = stage.dataset.view !== view;
        show(stage, moment);
        for (const box of stage.querySelectorAll(".box")) {
          box.tabIndex = box.matches(".active") ? 0 : -1; // the picture is one stop of the tabulator
          box.classList.toggle("aside", isAside(...numbers(box.dataset.nodes)));
        }
        for (const arrow of stage.querySelectorAll(".arrow"))
          arrow.classList.toggle("aside", isAside(+arrow.dataset.from) || isAside(+arrow.dataset.to));
        centre(stage, stage.querySelector(".box.active"));
      }
      show(find(".ledgers"), moment);
      open(node);
      cards.forEach((card, i) => (card.hidden = i !== place));
      cards[place].classList.toggle("asking", !revealed);
      slider.value = place;
      slider.setAttribute("aria-valuetext", where);
      find(".live").textContent = revealed ? text : `${where}: ${nodes[node].name} = ${formula}. Predict, then reveal.`;
      find(".play").classList.toggle("playing", timer !== null);
      find(".play").setAttribute("aria-label", timer !== null ? "Pause" : "Play");
      find(".predict").setAttribute("aria-pressed", predicting);
      find(".reveal").hidden = revealed;
      find(".whole").hidden = opened === null;
      for (const button of all("[data-shows]")) button.setAttribute("aria-pressed", button.dataset.shows === view);
      for (const [name, end] of [["first", 0], ["previous", 0], ["next", last], ["last", last]])
        find(`.${name}`).setAttribute("aria-disabled", place === end && (revealed || end === 0));
    }

    // Show the ledger of a node.
    function open(id) {
      for (const ledger of ledgers) ledger.hidden = +ledger.dataset.node !== id;
    }

    // Scroll the picture, and only the picture, until a box is in view.
    function centre(stage, box) {
      if (!box || stage.hidden) return;
      const inside = stage.getBoundingClientRect(), at = box.getBoundingClientRect();
      const [x, y] = [at.left + at.right - inside.left - inside.right, at.top + at.bottom - inside.top - inside.bottom];
      if (at.left < inside.left || at.right > inside.right) stage.scrollLeft += x / 2;
      if (at.top < inside.top || at.bottom > inside.bottom) stage.scrollTop += y / 2;
    }

    function go(to) {
      place = Math.min(Math.max(to, 0), last);
      revealed = !predicting;
      for (const field of cards[place].querySelectorAll(".guess, .verdict")) field.remove();
      if (predicting) ask();
      render();
    }

    // Put a field for a prediction in the place of each number of the step.
    function ask() {
      for (const cell of cards[place].querySelectorAll("[data-answer]")) {
        const guess = document.createElement("input");
        guess.className = "guess";
        guess.placeholder = "your prediction";
        guess.setAttribute("aria-label", `your prediction: ${cell.querySelector("dt").textContent}`);
        guess.autocomplete = "off";
        cell.append(guess);
      }
    }

    function reveal() {
      if (document.activeElement?.matches(".guess, .reveal")) find(".next").focus(); // both are gone in a moment
      for (const guess of cards[place].querySelectorAll(".guess")) {
        const verdict = document.createElement("p"), said = guess.value.trim();
        const right = agrees(said, guess.parentElement.dataset.answer);
        verdict.className = "verdict";
        verdict.textContent = said && (right ? `✓ ${said} is right` : `✗ not ${said}`);
        guess.replaceWith(verdict);
      }
      revealed = true;
      render();
    }

    const halt = () => {
      clearInterval(timer);
      timer = null;
    };
    const turn = () => (revealed ? go(place + 1) : reveal());
    const act = {
      first: () => go(0),
      previous: () => go(place - 1),
      next: turn,
      last: () => go(last),
      reveal,
      predict: () => {
        predicting = !predicting;
        if (!revealed) reveal();
        go(place);
      },
      whole: () => {
        opened = null;
        find('[data-shows="nodes"]').focus();
        render();
      },
      play: () => {
        if (place === last && revealed) go(0);
        timer = setInterval(() => {
          turn();
          if (place === last && revealed) {
            halt();
            render();
          }
        }, PACE);
        render();
      },
    };
    for (const [name, action] of Object.entries(act))
      find(`.${name}`).addEventListener("click", () => {
        const playing = timer !== null;
        halt();
        if (name === "play" && playing) render();
        else action();
      });
    slider.addEventListener("input", () => {
      halt();
      go(+slider.value);
    });
    for (const button of all("[data-shows]"))
      button.addEventListener("click", () => {
        view = button.dataset.shows;
        opened = null;
        render();
      });

    // A node stands for its step in this phase, a leaf for the one that completes it.
    function stepOf(id) {
      const { phase } = steps[place], at = steps.map((step, i) => ({ step, i })).filter(({ step }) => step.phase === phase);
      const own = at.filter(({ step }) => step.node === id);
      const uses = (step) => nodes[step.node].operands.some((operand) => operand.node === id);
      const using = at.filter(({ step }) => uses(step));
      return (own[0] ?? (phase === "forward" ? using[0] : using.at(-1))).i;
    }

    // A neuron opens into its nodes; any other box is jumped to.
    function choose(box) {
      const inside = numbers(box.dataset.nodes);
      halt();
      if (box.matches(".neuron")) {
        view = "nodes";
        opened = new Set(inside.flatMap((id) => [id, ...nodes[id].operands.flatMap(({ node }) => node ?? [])]));
      }
      go(stepOf(inside[0]));
      open(inside[0]);
      const stage = stages.find((each) => !each.hidden);
      focus(boxes(stage).find((each) => numbers(each.dataset.nodes).includes(inside[0])));
    }

    const mainOf = (box) => numbers(box.dataset.nodes)[0];
    const boxes = (stage) => [...stage.querySelectorAll(".box")].sort((a, b) => mainOf(a) - mainOf(b));
    function focus(box) {
      for (const each of boxes(box.closest(".stage"))) each.tabIndex = each === box ? 0 : -1;
      box.focus({ preventScroll: true });
      centre(box.closest(".stage"), box);
    }

    for (const stage of stages)
      for (const box of stage.querySelectorAll(".box")) {
        const [id] = numbers(box.dataset.nodes);
        box.addEventListener("click", () => choose(box));
        box.addEventListener("focus", () => open(id));
        box.addEventListener("blur", () => open(steps[place].node));
        box.addEventListener("pointermove", () => open(id));
        box.addEventListener("pointerleave", () => open(steps[place].node));
      }

    // A page with one player takes its keys wherever they are pressed; else they go to the player that has the focus.
    const alone = root.closest(".autograd-page") && document.querySelectorAll(".autograd-player").length === 1;
    (alone ? document : root).addEventListener("keydown", (event) => {
      const target = event.target, box = target.closest(".box"), stage = target.closest(".stages > .stage");
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      if (target.matches(".guess") && event.key === "Enter") return handled(event, reveal);
      if (target.matches("input, select, textarea")) return; // the slider has keys of its own
      const keys = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last" };
      if (!target.closest("button, summary, .box")) keys[" "] = "play";
      if (keys[event.key]) return handled(event, () => find(`.${keys[event.key]}`).click());
      if (box && (event.key === "Enter" || event.key === " ")) return handled(event, () => choose(box));
      const all = stage ? boxes(stage) : [], by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (box && by) handled(event, () => focus(all.at((all.indexOf(box) + by) % all.length)));
    });
    function handled(event, action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }

    for (const details of all("details[data-mistake]"))
      details.addEventListener("toggle", () => {
        for (const run of details.querySelectorAll(".run")) {
          const stage = run.querySelector(".stage"), wrong = run.matches(".wrong");
          stage.replaceChildren(stages[0].querySelector("svg").cloneNode(true));
          stage.setAttribute("aria-hidden", "true"); // the card below says the same
          for (const part of stage.querySelectorAll(".box, .arrow")) {
            part.removeAttribute("tabindex");
            part.classList.remove("aside");
          }
          show(stage, momentOf(nodes, wrong ? mistakes[details.dataset.mistake] : steps, +run.dataset.place, true));
          centre(stage, stage.querySelector(".box.active"));
        }
      });

    find(".bar").hidden = false;
    render();
  }

  // Whether a prediction is right within a hundredth, which is what can be worked out in one's head.
  function agrees(said, answer) {
    const read = (text) => Number(text.replace("−", "-").replace(",", ".").replace(/inf|∞/, "Infinity"));
    const guess = read(said), right = read(answer);
    if (!said || Number.isNaN(right)) return /^nan$/i.test(said);
    if (!Number.isFinite(right)) return guess === right;
    return Math.abs(guess - right) <= Math.max(Math.abs(right) / 100, 1e-9);
  }

  for (const root of document.querySelectorAll(".autograd-player:not([data-ready])")) start(root);
})();
