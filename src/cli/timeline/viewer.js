/**
 * Makes the timeline of a page move: the wheel zooms, dragging moves, pointing
 * at a bar shows what is known of its request. It runs in a browser, as a module
 * of the page that timeline_html.ts writes.
 */

/** The part of time that is shown after zooming by a factor at a time. */
export function zoomed(view, at, factor, whole) {
  const width = Math.min(
    Math.max((view.to - view.from) * factor, (whole.to - whole.from) / 5000),
    whole.to - whole.from,
  );
  const share = (at - view.from) / (view.to - view.from);
  return kept(
    { from: at - share * width, to: at + (1 - share) * width },
    whole,
  );
}

/** A view of the same width that lies in the whole. */
export function kept({ from, to }, whole) {
  const shift = Math.max(whole.from - from, 0) || Math.min(whole.to - to, 0);
  return { from: from + shift, to: to + shift };
}

/** The times that the axis has labels for: at most one in so many. */
export function ticksOf({ from, to }, most) {
  const least = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least);
  const ticks = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) {
    ticks.push(n * step);
  }
  return ticks;
}

/** A time in words, in the unit that the largest of some times has. */
export function timeText(us, largest = us) {
  return Math.abs(largest) < 10_000
    ? `${Number(us.toFixed(3))} us`
    : `${Number((us / 1000).toFixed(4))} ms`;
}

/**
 * Where the part of a bar is that is in view: a width of 0 if none is.
 *
 * @param view The part of time that is shown.
 * @param frame The pixels between which it is shown, as FRAME has them.
 * @param rules Widths of bars, as BAR has them.
 */
export function barIn({ from, to }, view, frame, rules) {
  const pixels = (frame.width - frame.left - frame.right) /
    (view.to - view.from);
  const x = Math.max(from, view.from);
  const whole = Math.max(rules.least, (Math.min(to, view.to) - x) * pixels);
  const width = whole > rules.gapFrom && to < view.to
    ? whole - rules.gap
    : whole;
  const isShown = from <= view.to && to >= view.from;
  return {
    x: frame.left + (x - view.from) * pixels,
    width: isShown ? width : 0,
  };
}

/** What is known of a request, as lines. */
export function linesOf(request) {
  const { opcode, unique, client, bytes, made, pending, queue } = request;
  const { taken, work, ended, errno } = request;
  const span = (name, from, to) =>
    from === null || to === null
      ? []
      : [`${name} ${timeText(to - from)}, until ${timeText(to)}`];
  return [
    `${opcode}, id ${unique}`,
    client === null ? "sent by the kernel" : `client ${client}`,
    `message of ${bytes} bytes`,
    `made at ${timeText(made)}`,
    ...pending > made ? span("held back for", made, pending) : [],
    ...span("pending for", pending, taken),
    ...queue === null ? [] : [`taken by queue ${queue}`],
    ...work === null ? [] : span("worked on for", work[0], work[1]),
    ended === null ? "not ended" : `ended after ${timeText(ended - made)}`,
    ...errno === null || errno === 0 ? [] : [`error ${errno}`],
  ];
}

/** Makes the page's picture move. */
function start() {
  const byId = (id) => document.getElementById(id);
  const { requests, window: whole, first, frame, bar: rules } = JSON.parse(
    byId("data").textContent,
  );
  const svg = document.querySelector("svg");
  const [bars, axis, tip] = [byId("bars"), byId("axis"), byId("tip")];
  const marks = [...byId("marks").children];
  const rectangles = [...bars.querySelectorAll("rect")].map((element) => {
    const { f, t } = element.dataset;
    return { element, from: Number(f), to: Number(t), isShown: true };
  });
  const lines = [...bars.querySelectorAll("path")].map((element) => ({
    element,
    at: Number(element.dataset.at),
    rest: element.getAttribute("d").replace(/^M\S+/, ""),
  }));
  const inner = frame.width - frame.left - frame.right;
  const bottom = svg.viewBox.baseVal.height - frame.bottom;
  let view = { ...first };
  let isDue = false;

  const xOf = (at) =>
    frame.left + (at - view.from) / (view.to - view.from) * inner;
  const timeAt = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    const x = (event.clientX - left) * frame.width / width;
    return view.from + (x - frame.left) / inner * (view.to - view.from);
  };

  const draw = () => {
    isDue = false;
    for (const rectangle of rectangles) {
      const { x, width } = barIn(rectangle, view, frame, rules);
      // Most bars are out of view, and stay so.
      if (width === 0 && !rectangle.isShown) continue;
      rectangle.isShown = width > 0;
      rectangle.element.setAttribute("x", x);
      rectangle.element.setAttribute("width", width);
    }
    for (const { element, at, rest } of lines) {
      element.setAttribute("d", `M${xOf(at)}${rest}`);
    }
    for (const mark of marks) {
      const y = mark.getAttribute("transform").split(" ")[1];
      const x = xOf(Number(mark.dataset.at));
      mark.setAttribute("transform", `translate(${x} ${y}`);
    }
    axis.replaceChildren(
      ...ticksOf(view, inner / 90).flatMap((at) => {
        const line = document.createElementNS(svg.namespaceURI, "path");
        const label = document.createElementNS(svg.namespaceURI, "text");
        line.setAttribute("class", "grid");
        line.setAttribute("d", `M${xOf(at)} ${frame.top - 4}V${bottom}`);
        label.setAttribute("class", "dim");
        label.setAttribute("text-anchor", "middle");
        label.setAttribute("x", xOf(at));
        label.setAttribute("y", bottom + 18);
        label.textContent = timeText(at, view.to);
        return [line, label];
      }),
    );
  };
  const show = (next) => {
    view = next;
    // A wheel turns several times between two frames of the screen.
    if (!isDue) requestAnimationFrame(draw);
    isDue = true;
  };
  const zoom = (at, factor) => show(zoomed(view, at, factor, whole));
  const shift = (us) =>
    show(kept({ from: view.from + us, to: view.to + us }, whole));

  const point = (event) => {
    const index = event.target.dataset?.r;
    for (const bar of bars.querySelectorAll(".hot")) {
      bar.classList.remove("hot");
    }
    tip.hidden = index === undefined;
    if (index === undefined) return;
    for (const bar of bars.querySelectorAll(`[data-r="${index}"]`)) {
      bar.classList.add("hot");
    }
    tip.textContent = linesOf(requests[index]).join("\n");
    const { innerWidth, innerHeight } = globalThis;
    const { offsetWidth, offsetHeight } = tip;
    const x = Math.min(event.clientX + 14, innerWidth - offsetWidth - 8);
    const y = Math.min(event.clientY + 14, innerHeight - offsetHeight - 8);
    tip.style.left = `${x}px`;
    tip.style.top = `${y}px`;
  };

  let dragged = null;
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(timeAt(event), 1.0015 ** event.deltaY);
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    dragged = timeAt(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointerup", () => dragged = null);
  svg.addEventListener("pointermove", (event) => {
    if (dragged === null) point(event);
    else shift(dragged - timeAt(event));
  });
  svg.addEventListener("dblclick", () => show({ ...whole }));
  globalThis.addEventListener("keydown", ({ key }) => {
    const width = view.to - view.from;
    const middle = view.from + width / 2;
    if (key === "+") zoom(middle, 0.7);
    else if (key === "-") zoom(middle, 1 / 0.7);
    else if (key === "ArrowLeft") shift(-width / 8);
    else if (key === "ArrowRight") shift(width / 8);
    else if (key === "0") show({ ...whole });
  });
  draw();
}

if (globalThis.document !== undefined) start();
