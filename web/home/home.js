// The page over its own repo: connects to the relay that served it, checks what it receives, and shows it.

import { connect, MemoryStore, Registry } from "@streamo/streamo";
import {
  followSite,
  h,
  live,
  liveStatus,
  mount,
  openSite,
  signal,
  sitePlace,
} from "@streamo/streamo/web";
import { recordRow } from "./records.js";
import { tree } from "./tree.js";

const RECORDS = 8;

const session = connect(new Registry({ store: new MemoryStore() }), location.origin, {
  software: "streamo home page",
});
const status = liveStatus(session);
/** The repo as soon as it is here and checked. */
const site = signal(undefined);
/** Why it will not come. */
const failure = signal(undefined);

mount(() => statusView(), document.querySelector("#status"));
mount(() => site.value && tree(live(site.value).head), document.querySelector("#tree"));
mount(() => site.value && factsView(live(site.value)), document.querySelector("#facts"));

try {
  const repo = await openSite(session);
  site.value = repo;
  fillIn(repo.key);
  mount(() => recordsView(live(repo)), document.querySelector("#records"));
  followSite(repo);
} catch (error) {
  failure.value = error;
}

function statusView() {
  const { state, reason } = status.value;
  if (failure.value) {
    return h`<p class="state away"><strong>Stopped.</strong> ${failure.value.message}.</p>`;
  }
  if (state === "online" && site.value) {
    return h`<p class="state online"><strong>Online.</strong> Changes arrive from ${location.host} as they are signed.</p>`;
  }
  if (state === "away") {
    const rest = site.value
      ? "What you see was checked here and stays true; changes come when the relay is back."
      : "Trying again.";
    return h`<p class="state away"><strong>Away.</strong> ${location.host} does not answer${
      reason ? ` (${reason})` : ""
    }. ${rest}</p>`;
  }
  return h`<p class="state"><strong>Connecting</strong> to ${location.host} …</p>`;
}

function factsView(view) {
  const { head } = view;
  const { key } = view.repo;
  if (head === undefined) return h`<p class="quiet">Nothing is written yet.</p>`;
  return h`
    <p class="checked">
      This page checked ${counted(head.blocks, "block")} and the signature of${" "}
      <code class="key">${key}</code> in your browser.
    </p>
    <dl class="numbers">
      <div><dt>Blocks</dt><dd>${head.blocks.toLocaleString("en")}</dd></div>
      <div><dt>Size</dt><dd>${size(head.bytes)}</dd></div>
      <div><dt>Records</dt><dd>${
    ((view.repo.lastRecord?.seq ?? -1) + 1).toLocaleString("en")
  }</dd></div>
      <div><dt>Files</dt><dd>${view.size().toLocaleString("en")}</dd></div>
    </dl>
    <p class="links">
      <a href=${`/streams/${key}`}>Value as JSON</a>
      <a href=${`/streams/${key}/log`}>Raw log</a>
      <a href=${`/streams/${key}/events`}>Event stream</a>
      <a href="/healthz">Relay health</a>
    </p>`;
}

function recordsView(view) {
  const records = view.history(RECORDS);
  const { base } = sitePlace();
  return h`<ol class="records">
    ${records.map((record) => recordRow(view.repo, record, base))}
  </ol>`;
}

/** Puts what only the open page knows into the commands. */
function fillIn(key) {
  const known = { key, host: location.host, origin: location.origin };
  for (const place of document.querySelectorAll("[data-fill]")) {
    place.textContent = known[place.dataset.fill];
  }
  for (const link of document.querySelectorAll("[data-fill-href]")) link.href = `/streams/${key}`;
}

function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
