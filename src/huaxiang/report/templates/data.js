// Pointing at a table lights up its whole lineage; choosing it opens its entry.
(() => {
  const picture = document.getElementById("picture");
  const light = (box) => {
    const lit = new Set([box.id.slice(4), ...box.dataset.before.split(" "), ...box.dataset.after.split(" ")]);
    picture.classList.add("lit");
    for (const other of picture.querySelectorAll(".box")) other.classList.toggle("on", lit.has(other.id.slice(4)));
    for (const line of picture.querySelectorAll(".lines path")) line.classList.toggle("on", lit.has(line.dataset.from) && lit.has(line.dataset.to));
  };
  const dim = () => picture.classList.remove("lit");
  for (const box of picture.querySelectorAll(".box")) {
    box.addEventListener("pointerenter", () => light(box));
    box.addEventListener("pointerleave", dim);
    box.addEventListener("focus", () => light(box));
    box.addEventListener("blur", dim);
  }
})();
const openNamed = () => {
  const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (entry && entry.tagName === "DETAILS") { entry.open = true; entry.scrollIntoView(); }
};
addEventListener("hashchange", openNamed);
openNamed();
