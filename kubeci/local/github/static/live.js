// Keeps the page as the server has it: asks every two seconds while somebody looks, and swaps what changed.
const main = document.querySelector("main");
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (fresh.innerHTML !== main.dataset.shown) {
      main.innerHTML = fresh.innerHTML;
      main.dataset.shown = fresh.innerHTML;
    }
  } catch {
    // The server is gone; the page stays as it was.
  }
}, 2000);
main.dataset.shown = main.innerHTML;

// Choosing who acts needs no second press.
const acting = document.querySelector("form.acting");
acting.classList.add("live");
acting.querySelector("select").addEventListener("change", () => acting.submit());
