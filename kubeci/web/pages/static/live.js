// Keeps the page as the server has it, while somebody looks. Without it the page loads itself anew.
const live = document.getElementById("live");
const MOST = 10000; // lines of a log on the page
let tag = "";

const every = () => Number(document.getElementById("told")?.dataset.every);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Brings `have` to what `want` is, touching only what differs: focus, scrolling and open details stay.
function bring(have, want) {
  for (const { name } of [...have.attributes]) {
    if (name !== "open" && !want.hasAttribute(name)) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (name !== "open" && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  if (have.hasAttribute("data-own")) return;
  const named = new Map([...have.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wanted = new Set([...want.children].map((child) => child.id));
  let at = have.firstChild;
  // Removes what stands in the way: moving the rest instead would take its focus.
  const drop = (isInTheWay) => {
    while (at && isInTheWay(at)) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };
  for (const next of [...want.childNodes]) {
    const found = next.id && named.get(next.id);
    if (found) drop((node) => node !== found && !(node.id && wanted.has(node.id)));
    else if (next.nodeType === Node.ELEMENT_NODE) drop((node) => node.nodeType === Node.TEXT_NODE);
    const same = next.id ? found : at;
    if (!same || same.nodeName !== next.nodeName || (same.id || "") !== (next.id || "")) {
      have.insertBefore(next, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else have.insertBefore(same, at);
    if (next.nodeType === Node.ELEMENT_NODE) bring(same, next);
    else if (same.data !== next.data) same.data = next.data;
  }
  drop(() => true);
}

function decorate() {
  const told = document.getElementById("told");
  if (told) {
    document.title = told.dataset.title;
    const icon = document.getElementById("icon");
    const address = icon.getAttribute("href").replace(/icon-\w+/, `icon-${told.dataset.icon}`);
    if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
  }
  tick();
}

// Times are the server's in UTC; a person reads their own, and how long something has been going on.
function tick() {
  for (const each of document.querySelectorAll("time")) {
    const local = new Date(each.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    if (each.textContent !== local) each.textContent = local;
  }
  for (const each of document.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - new Date(each.dataset.since)) / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const two = (number) => String(number).padStart(2, "0");
    each.textContent = hours ? `${hours}h ${two(minutes)}m` : minutes ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`;
  }
}

async function refresh() {
  const address = new URL(location.href);
  address.searchParams.set("fragment", "1");
  const answer = await fetch(address, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
  if (answer.status === 401) location.reload();
  if (answer.status !== 200) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  tag = answer.headers.get("etag") || "";
  const want = document.createElement("main");
  want.id = "live";
  want.append(...fresh.body.childNodes);
  bring(live, want);
  decorate();
  document.querySelectorAll("details[data-log]").forEach((details) => {
    if (details.complete && "running" in details.dataset) Object.assign(details, { complete: false, count: 0 });
    if (details.open) follow(details);
  });
}

// Shows a step's log and what it goes on to say, while its details are open.
async function follow(details) {
  if (details.following || details.complete) return;
  details.following = true;
  const box = details.querySelector("pre");
  const note = details.querySelector(".note");
  try {
    for (;;) {
      const asked = Date.now();
      const answer = await fetch(`${details.dataset.log}/lines?after=${details.count || 0}`, { cache: "no-store" });
      if (!answer.ok) break;
      const log = await answer.json();
      const last = box.scrollTop + box.clientHeight >= box.scrollHeight - 30;
      if (log.fresh || !details.count) box.replaceChildren();
      if (log.lines.length) box.append(log.lines.join("\n") + "\n");
      if (log.count > MOST && box.childNodes.length > 200) box.firstChild.remove();
      details.count = log.count;
      if (note.textContent !== log.note) note.textContent = log.note;
      if (last) box.scrollTop = box.scrollHeight;
      details.complete = log.ended;
      if (log.ended) break;
      // Long logs, and servers with much to do, are asked less often.
      await pause(Math.max(every() / 2, 5 * (Date.now() - asked)));
      if (!details.open || document.hidden || !details.isConnected) break;
    }
  } catch {
    // The server is gone for a moment; the next refresh asks again.
  }
  details.following = false;
}

async function watch() {
  for (;;) {
    if (!every()) return;
    await pause(every());
    if (document.hidden) continue;
    try {
      await refresh();
    } catch {
      // The server is gone for a moment; the page stays as it was.
    }
  }
}

live.addEventListener("toggle", (event) => event.target.open && event.target.dataset.log && follow(event.target), true);
document.addEventListener("visibilitychange", () => document.hidden || refresh().catch(() => {}));
setInterval(tick, 1000);
decorate();
document.querySelectorAll("details[data-log][open]").forEach(follow);
watch();
