/**
 * Pages over live repos: {@link h} makes markup, {@link mount} shows it, {@link live} reads a repo so
 * that what was read is shown anew when it changes. Plain browser modules, no build; see `web/home/`.
 *
 * @example A page that counts visits of everyone
 * ```html
 * <script type="module">
 *   import { connect, MemoryStore, Registry } from "@streamo/streamo";
 *   import { h, live, mount, openSite } from "@streamo/streamo/web";
 *
 *   const session = connect(new Registry({ store: new MemoryStore() }), location.origin);
 *   const repo = await openSite(session);
 *   mount(h`<h1>${() => live(repo).get("title")}</h1>`, document.body);
 * </script>
 * ```
 *
 * @module
 */

export type { ClassValue } from "./class_text.ts";
export { h, type Template, type View } from "./h.ts";
export { IndexedDbStore, type IndexedDbStoreOptions } from "./indexed_db_store.ts";
export { Live, live, liveStatus } from "./live.ts";
export { liveObject } from "./live_object.ts";
export { mount } from "./mount.ts";
export { followSite } from "./follow_site.ts";
export { openSite, type SitePlace, sitePlace } from "./site.ts";
export { Tabs, type TabsOptions, type TabsStatus } from "./tabs.ts";
export { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "./signal.ts";
