// Keeps the page as the server has it: asks every two seconds while somebody looks, and swaps what changed.
// A page with a form marks the parts around it, so that what somebody is writing stays.
const live = (page) => {
  const marked = page.querySelectorAll("main [data-live]");
  return marked.length ? [...marked] : [page.querySelector("main")];
};
const shown = live(document);
const known = shown.map((part) => part.innerHTML);
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = live(new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (fresh.length !== shown.length) return;
    shown.forEach((part, index) => {
      const html = fresh[index].innerHTML;
      if (html === known[index]) return;
      part.innerHTML = known[index] = html;
    });
  } catch {
    // The server is gone; the page stays as it was.
  }
}, 2000);

// Choosing who acts needs no second press.
const acting = document.querySelector("form.acting");
acting.classList.add("live");
acting.querySelector("select").addEventListener("change", () => acting.submit());
