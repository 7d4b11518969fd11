// The portrait of the customer named after the #. Text is only ever set as text, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const shards = new Map();
  let people = null, order = new Map(), listed = [];

  window.huaxiang = {
    index(data) {
      people = data;
      data.ids.forEach((id, place) => order.set(id, place));
      const group = byId("group");
      if (group) for (const [id, name] of Object.entries(data.segments)) group.append(el("option", { value: id }, name));
      list();
      show();
    },
    shard(number, rows, products) { shards.set(number, { rows, products }); },
  };

  function el(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  function bar(share) {
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    for (const [key, value] of Object.entries({ class: "meter", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(key, value);
    for (const [tone, width] of [["line", 100], ["accent", 100 * share]]) {
      const rect = document.createElementNS(space, "rect");
      for (const [key, value] of Object.entries({ class: "fill-" + tone, width: Math.max(0, width), height: 8, rx: 1 })) rect.setAttribute(key, value);
      svg.append(rect);
    }
    return svg;
  }

  // A customer may be called like a member of every object, such as "constructor".
  const shown = (id) => (Object.hasOwn(people.shown, id) ? people.shown[id] : id);
  const link = (id) => "#" + encodeURIComponent(id);
  const percent = (share) => { const number = 100 * share; return (number >= 10 || number === 0 ? Math.round(number) : number.toFixed(1)) + " %"; };

  function load(file, failed) {
    const script = el("script", { src: "customers/" + file });
    script.addEventListener("error", failed);
    document.head.append(script);
  }

  // The list: what matches the search, in the order of the numbers.
  const LONGEST = 200;
  function list() {
    const asked = byId("who").value.trim().toLowerCase(), group = byId("group") ? byId("group").value : "";
    listed = people.ids.filter((id, place) =>
      (!group || String(people.segment[place]) === group) &&
      (!asked || id.toLowerCase().includes(asked) || shown(id).toLowerCase().includes(asked)));
    if (asked) listed.sort((a, b) => rank(a, asked) - rank(b, asked) || order.get(a) - order.get(b));
    byId("matches").textContent = listed.length === 0 ? "No customer matches." :
      `${listed.length.toLocaleString("en")} ${asked || group ? "found" : "in all"}`;
    // Without a search the list opens where the reader is.
    const from = asked ? 0 : Math.max(0, Math.min(listed.indexOf(current()) - 2, listed.length - LONGEST));
    byId("found").replaceChildren(...listed.slice(from, from + LONGEST).map((id) =>
      el("li", null, el("a", { href: link(id), "data-id": id }, el("bdi", null, shown(id)), people.spend.length ? el("span", null, people.spend[order.get(id)]) : ""))));
    mark();
    byId("found").scrollTop = 0;
  }
  const rank = (id, asked) => (id.toLowerCase() === asked ? 0 : id.toLowerCase().startsWith(asked) ? 1 : 2);
  function mark() {
    for (const entry of document.querySelectorAll("#found a")) {
      if (entry.dataset.id === current()) entry.setAttribute("aria-current", "true"); else entry.removeAttribute("aria-current");
    }
    return Boolean(document.querySelector("#found a[aria-current]"));
  }

  function current() {
    try { return decodeURIComponent(location.hash.slice(1)); } catch { return location.hash.slice(1); }
  }

  function show() {
    const id = current() || people.ids[0], place = order.get(id);
    if (!mark() && !byId("who").value) list();
    if (place === undefined) return say(`There is no customer ${shown(id).replace(/[^\x20-\x7e]/g, "?")} in this portrait. Search for another one.`);
    const number = Math.floor(place / people.size), ready = () => { if ((current() || people.ids[0]) === id) draw(id, place, shards.get(number).rows[place % people.size], shards.get(number).products); };
    if (shards.has(number)) return ready();
    const file = String(number).padStart(2, "0") + ".js";
    const script = el("script", { src: "customers/" + file });
    script.addEventListener("load", ready);
    script.addEventListener("error", () => say(`The file customers/${file} is not beside this page, so this portrait cannot be shown.`));
    document.head.append(script);
  }

  function say(sentence) { byId("portrait").replaceChildren(el("p", { class: "lede" }, sentence)); }

  function draw(id, place, one, products) {
    const parts = [head(id, place)];
    if (people.segment.length && people.segment[place] !== null) {
      const segment = people.segment[place];
      parts.push(el("p", { class: "of-segment" }, "Segment: ", el("a", { href: "segments.html#segment-" + segment }, people.segments[segment])));
    }
    parts.push(story(one, place, products));
    if (people.headline.length) parts.push(el("dl", { class: "keys small" }, ...people.headline.map((label, at) =>
      el("div", null, el("dt", null, label), el("dd", null, one.headline[at])))));
    parts.push(el("div", { class: "columns" }, ...[interests(one), lately(one), declared(one)].filter(Boolean)));
    parts.push(...[ahead(one), recommended(one, products)].filter(Boolean));
    parts.push(...[tags(one), figures(one)].filter(Boolean));
    byId("portrait").replaceChildren(...parts);
    document.title = document.title.replace(/^.*?( · )/, () => `Customer ${shown(id)} · `);
  }

  function head(id, place) {
    const made = byId("blank").content.firstElementChild.cloneNode(true);
    made.querySelector("h1").textContent = shown(id);
    for (const [name, neighbour] of [["before", people.ids[place - 1]], ["after", people.ids[place + 1]]]) {
      const anchor = made.querySelector("." + name);
      if (neighbour === undefined) anchor.setAttribute("aria-disabled", "true"); else anchor.href = link(neighbour);
    }
    return made;
  }

  // Each sentence opens what it rests on; that lies in the customer's own figures, tags and lists.
  function story(one, place, products) {
    return el("div", { class: "story" }, ...one.story.map(([text, how, evidence]) => el("details", null,
      el("summary", null, text), el("div", { class: "because" }, el("p", { class: "note" }, people.known[how]),
        ...because(evidence.split(" ").filter(Boolean), one, place, products)))),
      one.unknown ? el("p", { class: "note" }, "Not known: " + one.unknown + ".") : "");
  }

  function because(evidence, one, place, products) {
    const facts = [], more = [];
    for (const [kind, at] of evidence.map((name) => [name[0], Number(name.slice(1))])) {
      if (kind === "f" && one.figures[at] !== "–") facts.push([people.figures[at][0], one.figures[at], people.figures[at][1] ? "average " + people.figures[at][1] : ""]);
      else if (kind === "d") facts.push([people.declared[at], one.declared[at], ""]);
      else if (kind === "t") {
        const [tag, value, confidence, said] = one.tags[at];
        facts.push([people.tags[tag][0], value, said + (confidence === null || confidence === 1 ? "" : `; confidence ${percent(confidence)}`)]);
      } else if (kind === "s") more.push(el("p", null, "The nearest of the groups that a model found. ",
        el("a", { href: "segments.html#segment-" + people.segment[place] }, "What was tested of it")));
      else if (kind === "i") facts.push(...one.interests.slice(0, 3).map(([name, weight]) => [name, percent(weight), "of all that was bought, recent purchases weighing more"]));
      else if (kind === "a") facts.push(...(one.ahead || []).slice(0, 2).map(([number, probability, reasons]) => [people.ahead[number][0], percent(probability), reasons]));
      else if (kind === "p") facts.push(...(one.items || []).filter((picks) => picks.length).map(([[product, reason]], task) => [people.tasks[task], products[product][0], reason]));
    }
    if (facts.length) more.unshift(el("dl", null, ...facts.map(([label, value, said]) =>
      el("div", null, el("dt", null, el("bdi", null, label)), el("dd", null, el("b", null, el("bdi", null, value)), said ? el("small", null, said) : "")))));
    return more;
  }

  function section(title, ...content) { return el("section", null, el("h2", null, title), ...content); }

  function table(head, rows, kind) {
    const cell = (kind, text, at, scope) => el(kind, { ...(at ? { class: "n" } : {}), ...(scope ? { scope } : {}) }, text);
    return el("div", { class: "scroll" }, el("table", { class: kind || "" },
      el("thead", null, el("tr", null, ...head.map((text, at) => cell("th", text, at, "col")))),
      el("tbody", null, ...rows.map((row) => el("tr", null, ...row.map((text, at) => cell(at ? "td" : "th", text, at, at ? "" : "row")))))));
  }

  function ahead(one) {
    if (!one.ahead) return null;
    const body = one.ahead.flatMap(([number, probability, reasons]) => [
      el("tr", null, el("th", { scope: "row" }, people.ahead[number][0]), el("td", null, bar(probability)),
        el("td", { class: "n" }, percent(probability)), el("td", { class: "n" }, people.ahead[number][1] === null ? "–" : percent(people.ahead[number][1]))),
      el("tr", { class: "why" }, el("td", { colspan: 4 }, reasons))]);
    const heads = [el("span", { class: "hidden" }, "What may happen"), el("span", { class: "hidden" }, "Probability, drawn"), "This customer", "Average"];
    return section("The next 28 days", el("table", { class: "ahead" },
      el("thead", null, el("tr", null, ...heads.map((head, at) => el("th", { scope: "col", ...(at > 1 ? { class: "n" } : {}) }, head)))),
      el("tbody", null, ...body)),
      el("p", { class: "note" }, "Probabilities; below each what moved it most. ", el("a", { href: "models.html" }, "How good are they?")));
  }

  function recommended(one, products) {
    if (!one.items && !one.starts) return null;
    const lists = (one.items || []).map((picks, task) => picks.length ? el("div", null, el("h3", null, people.tasks[task]),
      el("ol", { class: "picks" }, ...picks.map(([product, reason]) => el("li", null,
        el("b", null, products[product][0]), " ", el("small", null, products[product][1]), reason ? el("span", null, reason) : "")))) : null);
    return section("What to recommend", el("div", { class: "columns" }, ...lists.filter(Boolean)),
      one.starts ? el("p", { class: "starts" }, "May start next: ", el("b", null, el("bdi", null, one.starts[0])), el("small", null, el("bdi", null, " The first: " + one.starts[1]))) : "",
      el("p", { class: "note" }, "The first of each list. ", el("a", { href: "recommendations.html" }, "How they are made")));
  }

  function interests(one) {
    if (!one.interests.length) return null;
    const most = one.interests[0][1] || 1;
    const body = one.interests.map(([category, weight]) => el("tr", null,
      el("th", { scope: "row" }, category), el("td", null, bar(weight / most)), el("td", { class: "n" }, percent(weight))));
    return section("Top interests", el("table", { class: "bars" }, el("tbody", null, ...body)),
      el("p", { class: "note" }, "Share of all that was bought, recent purchases weighing more."),
      one.keywords ? el("p", { class: "note" }, "More than others buy: ", el("b", null, el("bdi", null, one.keywords)), ", by the words of the last 91 days.") : "");
  }

  function lately(one) {
    if (!one.windows.length) return null;
    const rows = people.spans.map((span, at) => [`last ${span}`, ...one.windows.map((values) => values[at])]);
    return section("Lately", table(["", ...people.windows], rows));
  }

  function declared(one) {
    const known = one.declared.map((value, at) => [people.declared[at], value]).filter(([, value]) => value !== "–");
    if (!known.length) return null;
    return section("Declared", el("dl", { class: "facts" }, ...known.map(([label, value]) => el("div", null, el("dt", null, label), el("dd", null, value)))));
  }

  function tags(one) {
    if (!one.tags.length) return null;
    const groups = people.branches.map((branch, number) => [branch, one.tags.filter(([tag]) => people.tags[tag][2] === number)]).filter(([, rows]) => rows.length);
    return section("Tags", ...groups.flatMap(([branch, rows]) => [
      el("h3", null, branch),
      el("ul", { class: "tags" }, ...rows.map(([tag, value, confidence, evidence]) => el("li", null,
        el("span", { class: "tag", title: people.tags[tag][1] }, people.tags[tag][0]),
        el("bdi", { class: "value" }, value),
        el("bdi", { class: "evidence" }, evidence),
        el("span", { class: "sure" }, confidence === null ? "" : `confidence ${percent(confidence)}`)))),
    ]));
  }

  function figures(one) {
    const rows = people.figures.map(([label, mean], at) => [label, one.figures[at], mean]).filter((row) => row[1] !== "–");
    return rows.length ? section("All figures", table(["", "This customer", "Average customer"], rows, "narrow")) : null;
  }

  byId("who").addEventListener("input", () => people && list());
  if (byId("group")) byId("group").addEventListener("change", () => people && list());
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    if (people && listed.length) { location.hash = link(listed[0]); byId("who").blur(); }
  });
  addEventListener("hashchange", () => people && show());
  load("index.js", () => say("The file customers/index.js is not beside this page, so no portrait can be shown."));
})();
