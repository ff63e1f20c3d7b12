// Python has printed the page, every number included; this turns its leaves.  It looks at nothing outside the player's own
// element, and nothing there has an id, so any number of players may share a page.
(() => {
  "use strict";
  const PACE = 2000; // milliseconds that a step stays while playing
  const OVER = { phase: "backward", node: null, edges: [] }; // after the last step: no box stands out, and all has flowed

  const idsOf = (box) => box.dataset.nodes.split(" ").map(Number); // one node, or the two of a neuron
  const boxesOf = (stage) => [...stage.querySelectorAll(".box")].sort((a, b) => idsOf(a)[0] - idsOf(b)[0]);

  // What can be seen at one place of a run: a function of its trace.
  function momentOf(nodes, steps, place, revealed) {
    const known = new Set(nodes.filter((node) => node.operation === null).map((node) => node.id));
    const passed = new Set(), deltas = new Map(), flows = new Map();
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
        flows.set(`${step.node}.${k}`, i === place ? edge.flows : edge.flowed);
        deltas.set(edge.input, edge.says);
      });
    });
    return { phase: steps[place].phase, active: steps[place].node, known, passed, deltas, flows };
  }

  // Bring a picture, or the ledgers, to a moment.
  function show(part, { phase, active, known, passed, deltas, flows }) {
    const [reached, done] = phase === "forward" ? [known, known] : [deltas, passed];
    const write = (text, says) => {
      text.classList.toggle("unseen", says === undefined);
      text.textContent = says ?? "…";
    };
    for (const text of part.querySelectorAll("[data-value]"))
      text.classList.toggle("unseen", !known.has(Number(text.dataset.value)));
    for (const text of part.querySelectorAll("[data-delta]")) write(text, deltas.get(Number(text.dataset.delta)));
    for (const flow of part.querySelectorAll("[data-flow]")) {
      flow.classList.toggle("pending", !flows.has(flow.dataset.flow));
      for (const label of flow.querySelectorAll(".flow")) write(label, flows.get(flow.dataset.flow));
    }
    let home = null; // where the arrows of this step lead to
    for (const box of part.querySelectorAll(".box")) {
      const ids = idsOf(box), here = ids.includes(active);
      if (here) home = ids[0];
      box.classList.toggle("active", here);
      box.classList.toggle("faint", !here && !ids.some((id) => reached.has(id)));
      box.ariaLabel = [...box.querySelectorAll("text:not(.unseen)")].map(wordsOf).join(", ");
    }
    for (const arrow of part.querySelectorAll(".arrow")) {
      const to = Number(arrow.dataset.to);
      arrow.classList.toggle("active", to === home);
      arrow.classList.toggle("faint", to !== home && !done.has(to));
    }
  }

  function wordsOf(text) {
    const seen = [...text.childNodes].filter((child) => !child.classList?.contains("unseen"));
    return seen.map((child) => child.textContent).join("");
  }

  // Scroll a picture, and only the picture, until a box is in view.
  function centre(stage, box) {
    if (!box || stage.hidden) return;
    const frame = stage.getBoundingClientRect(), at = box.getBoundingClientRect();
    const [x, y] = [at.left + at.right - frame.left - frame.right, at.top + at.bottom - frame.top - frame.bottom];
    if (at.left < frame.left || at.right > frame.right) stage.scrollLeft += x / 2;
    if (at.top < frame.top || at.bottom > frame.bottom) stage.scrollTop += y / 2;
  }

  // Whether a prediction is right within a hundredth, which is what can be worked out in one's head.
  function agrees(said, answer) {
    const read = (text) => Number(text.replace("−", "-").replace(",", ".").replace(/inf|∞/, "Infinity"));
    const guess = read(said), right = read(answer);
    if (!said || Number.isNaN(right)) return /^nan$/i.test(said);
    if (!Number.isFinite(right)) return guess === right;
    return Math.abs(guess - right) <= Math.max(Math.abs(right) / 100, 1e-9);
  }

  class Player {
    constructor(root) {
      this.root = root;
      Object.assign(this, JSON.parse(this.find(".trace").textContent)); // nodes, steps, mistakes
      this.stages = this.all(".stages > .stage");
      this.cards = this.all(".steps > .step");
      this.last = this.steps.length - 1;
      this.place = 0;
      this.predicting = false;
      this.revealed = true; // whether the numbers of this step are shown
      this.timer = null; // while it plays
      this.view = "nodes";
      this.opened = null; // the nodes of the neuron that was opened
      root.dataset.ready = "";
      if (this.last < 0) return; // a leaf: there is nothing to be stepped through
      this.listen();
      this.find(".bar").hidden = false;
      this.render();
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    all(selector) {
      return [...this.root.querySelectorAll(selector)];
    }

    get step() {
      return this.steps[this.place];
    }

    get card() {
      return this.cards[this.place];
    }

    render() {
      const moment = momentOf(this.nodes, this.steps, this.place, this.revealed);
      this.root.dataset.phase = moment.phase;
      for (const stage of this.stages) {
        stage.hidden = stage.dataset.view !== this.view;
        show(stage, moment);
        for (const box of stage.querySelectorAll(".box")) {
          box.tabIndex = box.matches(".active") ? 0 : -1; // the whole picture is one stop of the Tab key
          box.classList.toggle("aside", this.isAside(...idsOf(box)));
        }
        for (const { dataset, classList } of stage.querySelectorAll(".arrow"))
          classList.toggle("aside", this.isAside(Number(dataset.from)) || this.isAside(Number(dataset.to)));
        centre(stage, stage.querySelector(".box.active"));
      }
      show(this.find(".ledgers"), moment);
      this.open(moment.active);
      this.cards.forEach((card, i) => (card.hidden = i !== this.place));
      this.card.classList.toggle("asking", !this.revealed);
      this.renderControls();
    }

    // On paper the graph is as it is when all is over, with every gradient, node by node.
    print() {
      this.root.dataset.phase = OVER.phase;
      for (const part of this.all(".aside")) part.classList.remove("aside");
      for (const stage of this.stages) show(stage, momentOf(this.nodes, [...this.steps, OVER], this.last + 1, true));
    }

    renderControls() {
      const { node, formula, text } = this.step, [where] = text.split(":", 1), slider = this.find(".slider");
      const playing = this.timer !== null;
      slider.value = this.place;
      slider.ariaValueText = where;
      const question = `${where}: ${this.nodes[node].short} = ${formula}. Predict, then reveal.`;
      this.find(".live").textContent = this.revealed ? text : question;
      this.find(".play").classList.toggle("playing", playing);
      this.find(".play").ariaLabel = playing ? "Pause" : "Play";
      this.find(".predict").ariaPressed = this.predicting;
      this.find(".reveal").hidden = this.revealed;
      this.find(".whole").hidden = this.opened === null;
      for (const button of this.all("[data-shows]")) button.ariaPressed = button.dataset.shows === this.view;
      for (const button of this.all(".first, .previous")) button.ariaDisabled = this.place === 0;
      for (const button of this.all(".next, .last")) button.ariaDisabled = this.place === this.last && this.revealed;
    }

    isAside(...ids) {
      return this.opened !== null && !ids.some((id) => this.opened.has(id));
    }

    // Open the ledger of a node.
    open(id) {
      for (const ledger of this.all(".ledgers > section")) ledger.hidden = Number(ledger.dataset.node) !== id;
    }

    go(place) {
      this.place = Math.min(Math.max(place, 0), this.last);
      this.revealed = !this.predicting;
      for (const field of this.card.querySelectorAll(".guess, .verdict")) field.remove();
      if (this.predicting) this.ask();
      this.render();
    }

    // Put a field for a prediction in the place of each number of the step.
    ask() {
      for (const cell of this.card.querySelectorAll("[data-answer]")) {
        const guess = document.createElement("input");
        guess.className = "guess";
        guess.placeholder = "your prediction";
        guess.ariaLabel = `your prediction: ${cell.querySelector("dt").textContent}`;
        guess.autocomplete = "off";
        cell.append(guess);
      }
    }

    reveal() {
      if (document.activeElement?.matches(".guess, .reveal")) this.find(".next").focus(); // both are gone in a moment
      for (const guess of this.card.querySelectorAll(".guess")) {
        const verdict = document.createElement("p"), said = guess.value.trim();
        const right = agrees(said, guess.parentElement.dataset.answer);
        verdict.className = "verdict";
        verdict.textContent = said && (right ? `✓ ${said} is right` : `✗ not ${said}`);
        guess.replaceWith(verdict);
      }
      this.revealed = true;
      this.render();
    }

    // One move on: what is asked is revealed before the next step comes.
    turn() {
      if (this.revealed) this.go(this.place + 1);
      else this.reveal();
    }

    play() {
      const atEnd = () => this.place === this.last && this.revealed;
      if (atEnd()) this.go(0);
      this.timer = setInterval(() => {
        this.turn();
        if (atEnd()) this.pause();
      }, PACE);
      this.render();
    }

    halt() {
      clearInterval(this.timer);
      this.timer = null;
    }

    pause() {
      this.halt();
      this.render();
    }

    predict() {
      this.predicting = !this.predicting;
      this.go(this.place);
    }

    look(view) {
      this.view = view;
      this.opened = null;
      this.render();
    }

    // A neuron opens into its nodes; any other box leads to its step.
    choose(box) {
      const ids = idsOf(box);
      if (box.matches(".neuron")) {
        const operands = ids.flatMap((id) => this.nodes[id].operands.map(({ node }) => node));
        this.view = "nodes";
        this.opened = new Set([...ids, ...operands]);
      }
      this.go(this.stepOf(ids[0]));
      this.open(ids[0]);
      const stage = this.stages.find((each) => !each.hidden);
      this.focus(boxesOf(stage).find((each) => idsOf(each).includes(ids[0])));
    }

    // In this phase, the step of a node; of a leaf the first that uses it, or the last that adds to its gradient.
    stepOf(id) {
      const { phase } = this.step, uses = (node) => this.nodes[node].operands.some((operand) => operand.node === id);
      const places = [...this.steps.keys()].filter((i) => this.steps[i].phase === phase);
      const own = places.find((i) => this.steps[i].node === id), using = places.filter((i) => uses(this.steps[i].node));
      return own ?? using.at(phase === "forward" ? 0 : -1);
    }

    focus(box) {
      const stage = box.closest(".stage");
      for (const each of boxesOf(stage)) each.tabIndex = each === box ? 0 : -1;
      box.focus({ preventScroll: true });
      centre(stage, box);
    }

    listen() {
      const actions = {
        first: () => this.go(0),
        previous: () => this.go(this.place - 1),
        next: () => this.turn(),
        last: () => this.go(this.last),
        predict: () => this.predict(),
        reveal: () => this.reveal(),
        whole: () => {
          this.find('[data-shows="nodes"]').focus();
          this.look("nodes");
        },
      };
      const on = (element, event, action) => element.addEventListener(event, action);
      const halted = (action) => () => {
        this.halt();
        action();
      };
      for (const [name, action] of Object.entries(actions)) on(this.find(`.${name}`), "click", halted(action));
      on(this.find(".play"), "click", () => (this.timer === null ? this.play() : this.pause()));
      on(this.find(".slider"), "input", halted(() => this.go(Number(this.find(".slider").value))));
      for (const button of this.all("[data-shows]")) on(button, "click", () => this.look(button.dataset.shows));
      for (const box of this.all(".stages .box")) {
        on(box, "click", halted(() => this.choose(box)));
        for (const event of ["focus", "pointermove"]) on(box, event, () => this.open(idsOf(box)[0]));
        for (const event of ["blur", "pointerleave"]) on(box, event, () => this.open(this.step.node));
      }
      on(window, "beforeprint", () => this.print());
      on(window, "afterprint", () => this.render());
      for (const details of this.all("[data-mistake]")) on(details, "toggle", () => this.compare(details));
      // A page with one player takes its keys wherever they are pressed; else they go to the player that has the focus.
      const alone = this.root.closest(".autograd-page") && document.querySelectorAll(".autograd-player").length === 1;
      on(alone ? document : this.root, "keydown", (event) => {
        const action = event.ctrlKey || event.altKey || event.metaKey ? null : this.meaning(event);
        if (!action) return;
        event.preventDefault();
        event.stopPropagation();
        action();
      });
    }

    // What a key is to do where it was pressed, if that is anything of ours.
    meaning({ key, target }) {
      const click = (name) => () => this.find(`.${name}`).click();
      if (target.matches(".guess") && key === "Enter") return click("reveal");
      if (target.matches("input, select, textarea")) return null; // the slider has keys of its own
      const buttons = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last" };
      if (key in buttons) return click(buttons[key]);
      const box = target.closest(".stages .box");
      if (!box) return key === " " && !target.closest("button, summary") ? click("play") : null;
      if (key === "Enter" || key === " ") return () => box.dispatchEvent(new MouseEvent("click"));
      const boxes = boxesOf(box.closest(".stage")), at = boxes.indexOf(box);
      if (key === "ArrowUp") return () => this.focus(boxes.at(at - 1));
      if (key === "ArrowDown") return () => this.focus(boxes[(at + 1) % boxes.length]);
      return null;
    }

    // Draw a mistake beside the right run.
    compare(details) {
      for (const run of details.querySelectorAll(".run")) {
        const stage = run.querySelector(".stage"), wrong = run.matches(".wrong");
        const steps = wrong ? this.mistakes[details.dataset.mistake] : this.steps;
        stage.replaceChildren(this.find(".graph").cloneNode(true));
        stage.ariaHidden = "true"; // the card below says the same
        for (const part of stage.querySelectorAll(".box, .arrow")) {
          part.removeAttribute("tabindex");
          part.classList.remove("aside");
        }
        show(stage, momentOf(this.nodes, steps, Number(run.dataset.place), true));
        centre(stage, stage.querySelector(".box.active"));
      }
    }
  }

  for (const root of document.querySelectorAll(".autograd-player:not([data-ready])")) new Player(root);
})();
