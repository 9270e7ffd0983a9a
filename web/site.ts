/** The repo that a page is a file of. */

import { type Key, parseKey, type Repo, type Session, StreamoError } from "../mod.ts";

/** Characters of a key as text. */
const KEY = "[a-z2-7]{52}";

/** Where the files of a page's repo begin. */
export interface SitePlace {
  /** The key that the address names; undefined for the home repo of a relay. */
  readonly key: Key | undefined;
  /** The address of the repo's top folder; ends with a slash. */
  readonly base: URL;
}

/** Takes apart the address of a page that a relay serves: `/`, `/streams/KEY/…`, or `KEY.host`. */
export function sitePlace(address: string = location.href): SitePlace {
  const url = new URL(address);
  const path = new RegExp(`^/streams/(${KEY})/`).exec(url.pathname);
  const host = new RegExp(`^(${KEY})\\.`).exec(url.hostname);
  const key = path?.[1] ?? host?.[1];
  return {
    key: key === undefined ? undefined : parseKey(key),
    base: new URL(path?.[0] ?? "/", url),
  };
}

/**
 * The repo of the page at `address`, kept equal with the relay's and complete: resolves when all that the
 * relay has was received and checked. Rejects with the code of a refusal, `not_found` if the relay has no
 * home repo, `closed` if the session ends before.
 */
export async function openSite(session: Session, address?: string): Promise<Repo> {
  const key = sitePlace(address).key ?? await homeOf(session);
  const repo = await session.subscribe(key);
  await session.synced(repo);
  return repo;
}

/** The relay's home repo, as soon as it has said which. */
function homeOf(session: Session): Promise<Key> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { state, url } = session.status;
      if (session.home !== undefined) resolve(session.home);
      else if (state === "online") {
        reject(new StreamoError("not_found", `the relay at ${url} has no home repo`));
      } else if (state === "closed") {
        reject(new StreamoError("closed", `the session with ${url} is closed`));
      } else return;
      stop();
    };
    const stop = session.on("status", look);
    look();
  });
}
