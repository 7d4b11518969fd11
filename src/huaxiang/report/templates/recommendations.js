// Rules narrowed to a product type, the strongest or the most frequent first; a few of them until all are asked for.
(() => {
  const byId = (id) => document.getElementById(id);
  const body = byId("pairs").tBodies[0], rows = [...body.rows];
  const FEW = 15;
  let all = rows.length <= FEW;
  const list = () => {
    const asked = byId("with").value.trim().toLowerCase(), by = byId("by").value;
    rows.sort((a, b) => b.dataset[by] - a.dataset[by]);
    body.append(...rows);
    let found = 0;
    rows.forEach((row, place) => {
      const has = (row.cells[0].textContent + "\n" + row.cells[1].textContent).toLowerCase().includes(asked);
      row.hidden = !has || (!asked && !all && place >= FEW);
      if (has) found += 1;
    });
    byId("more").hidden = Boolean(asked) || all;
    byId("matches").textContent = !asked ? "" : found ? `${found} found` : "No rule here has it; the table rules holds all.";
  };
  byId("with").addEventListener("input", list);
  byId("by").addEventListener("change", list);
  byId("more").addEventListener("click", () => { all = true; list(); });
  byId("narrow").addEventListener("submit", (event) => event.preventDefault());
  list();
})();
