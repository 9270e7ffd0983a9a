/**
 * One log between two peers, as a pure machine: it gets what happened and says what to do. Looking
 * things up, storing, sending and waiting are done by `channel.ts`.
 *
 *     opening -> live            both logs are one, or one begins with the other
 *             -> comparing -> live       neither does: the common prefix is looked for, ours is offered
 *                          -> fetching -> live   the peer's branch takes this one's place
 *                          -> apart      ours wins, and the peer fetches it by itself
 *
 * `sent` is up to where the peer has this side's blocks, or has been sent them: what a peer sent
 * itself is never sent back. It is undefined while that is not known; then nothing is sent.
 */

import type { Code } from "../errors.ts";
import { compareHeads, type SignedHead } from "../log/head.ts";
import type { Position, Run } from "../log/run.ts";
import type { ChannelState, Effect, Input, Step } from "./channel_state.ts";
import { type Message, ROOTS_MAX } from "./messages.ts";

/** How often a side looks again before it gives up the connection: races of honest peers need few. */
const TRIES_MAX = 32;

/** A channel that has said nothing yet. */
export function newChannel(
  isOpener: boolean,
  canMerge: boolean,
  own: Position,
  ownHead: number,
): ChannelState {
  return {
    phase: "opening",
    isOpener,
    canMerge,
    own,
    ownHead,
    peer: undefined,
    sent: undefined,
    acked: 0,
    peerOpens: false,
    tries: 0,
    low: 0,
    high: 0,
    asked: [],
    compared: 0,
    offered: false,
    refusal: undefined,
  };
}

/** What happens next. Pure: the same state and input give the same step. */
export function step(state: ChannelState, input: Input): Step {
  switch (input.type) {
    case "start":
      return [{ ...state, phase: "opening" }, [{ type: "open" }]];
    case "looked":
      return [lookedAt(state, input.own, input.ownHead), []];
    case "open":
      return onOpen(state, input.have, input.shares);
    case "head":
      return input.lacks && state.isOpener
        ? [{ ...state, phase: "fetching", peer: input.head }, [{
          type: "fetch",
          from: 0,
          isAsked: true,
        }]]
        : onHead(state, input);
    case "compared":
      return state.phase === "comparing" ? onCompared(state, input) : [state, []];
    case "want":
      return input.from > state.own.blocks
        ? [state, [{ type: "refuse", code: "not_found", message: "blocks that are not here" }]]
        : live({ ...afresh(state), sent: input.from });
    case "replace":
      return onReplace(state, input.from);
    case "dropped":
      return onDropped(state, input.code, input.message);
    case "run":
      return onRun(state, input.run);
    case "misfit":
      return onMisfit(state, input.run);
    case "stored": {
      const { own, ownHead } = input;
      // Blocks that the peer sent are blocks that it has; what was merged with them is not.
      const theirs = Math.min(input.peerBlocks, own.blocks);
      if (own.epoch !== state.own.epoch) {
        const [raised, effects] = onRaised(state, own, ownHead, true);
        return [{ ...raised, acked: theirs }, effects];
      }
      const sent = Math.max(state.sent ?? 0, theirs);
      const acked = Math.max(state.acked, theirs);
      return live({ ...state, own, ownHead, sent, acked, tries: 0 });
    }
    case "replaced": {
      const { own, ownHead, peerBlocks } = input;
      const sent = peerBlocks;
      const next = { ...state, own, ownHead, sent, acked: sent, tries: 0, offered: false };
      return live({ ...next, phase: "live" });
    }
    case "advanced":
      return onAdvanced(state, input);
    case "sent":
      return [{ ...state, sent: input.to }, []];
    case "ack":
      return onAck(state, input.blocks);
    case "reject":
      return onReject(state, input);
  }
}

/** What was acknowledged of another epoch says nothing of this log. */
function lookedAt(state: ChannelState, own: Position, ownHead: number): ChannelState {
  const acked = own.epoch === state.own.epoch ? state.acked : 0;
  return { ...state, own, ownHead, acked };
}

function onAck(state: ChannelState, blocks: number): Step {
  // A reader may have more by way of others. A log that can be replaced here believes no more than
  // was sent: the answer may be about what it held before.
  const most = state.isOpener ? state.sent ?? 0 : state.ownHead;
  const known = Math.min(blocks, most);
  const sent = state.sent === undefined ? undefined : Math.max(state.sent, known);
  const acked = Math.max(state.acked, sent === undefined ? 0 : known);
  const tries = acked > state.acked ? 0 : state.tries;
  return live({ ...state, sent, acked, tries, offered: state.offered && acked < state.ownHead });
}

/** Pumps if this side may have something to send. */
function live(state: ChannelState): Step {
  const next: ChannelState = state.phase === "fetching" || state.phase === "comparing"
    ? state
    : { ...state, phase: "live", refusal: undefined };
  const behind = next.sent !== undefined && next.sent < next.ownHead;
  return [next, next.phase === "live" && behind ? [{ type: "pump" }] : []];
}

function onOpen(state: ChannelState, have: Position | undefined, shares: boolean): Step {
  const shared = shares ? have?.blocks ?? 0 : undefined;
  const [next, effects] = live({ ...afresh(state), sent: shared, peerOpens: true });
  return [next, [{ type: "opened", shared }, ...effects]];
}

/** An opener that asks anew does not go on with the branch that it offered. */
function afresh(state: ChannelState): ChannelState {
  return state.phase === "fetching" && !state.isOpener ? { ...state, phase: "live" } : state;
}

/** The peer has found out what both logs have in common: its branch comes, and is held. */
function onReplace(state: ChannelState, from: number): Step {
  if (state.isOpener || from > state.ownHead) {
    const message = "a branch from where nothing is";
    return [state, [{ type: "refuse", code: "conflict", message }]];
  }
  return [{ ...state, phase: "fetching", sent: undefined }, [{
    type: "fetch",
    from,
    isAsked: false,
  }]];
}

function onDropped(state: ChannelState, code: Code, message: string): Step {
  if (state.phase !== "fetching") return [state, []];
  if (!state.isOpener) return [{ ...state, phase: "live" }, [{ type: "refuse", code, message }]];
  // Nothing that comes later makes room for what was here.
  if (code === "too_large") return [{ ...state, phase: "refused", refusal: { code, message } }, []];
  return again({ ...state, phase: "opening", sent: undefined }, { type: "open" });
}

function onHead(
  state: ChannelState,
  { head, shared, prefix, shown }: Extract<Input, { type: "head" }>,
): Step {
  const next = { ...state, peer: head };
  // It goes on while the prefix is looked for: that does not change what both had in common.
  const isSameEpoch = head?.epoch === state.own.epoch;
  if (state.phase === "comparing" && shared === undefined && isSameEpoch) return [next, []];
  // It was told what both had, and sent what came after it, at once: that is still on its way.
  const isOnItsWay = state.phase === "live" && shared !== undefined && shared === state.acked &&
    shared === (head?.blocks ?? 0) && shared < (state.sent ?? 0);
  if (isOnItsWay) return [next, []];
  if (shared !== undefined && shared === state.own.blocks) {
    // The peer has everything that is here; what it has beyond follows by itself.
    return live({ ...next, sent: shared, acked: shared });
  }
  if (head === undefined || prefix !== undefined) {
    const sent = prefix ?? 0;
    // It got further, or nothing is left to send: whatever was refused is over there by now.
    const tries = sent > state.acked || sent >= state.ownHead ? 0 : state.tries;
    const [after, effects] = live({ ...next, phase: "live", sent, acked: sent, tries });
    if (!state.isOpener || head === undefined || prefix === 0) return [after, effects];
    // Frames that were sent in vain are still counted over there.
    const { epoch } = state.own;
    const message: Message = { type: "ack", key: head.key, epoch, blocks: sent };
    return [after, [{ type: "send", message }, ...effects]];
  }
  if (!state.isOpener) return [{ ...next, sent: undefined }, []];
  const compared = state.own.blocks;
  if (!isSameEpoch) {
    // Theirs takes the place of this one, whatever that has: all of it is asked for.
    const message: Message = { type: "want", key: head.key, from: 0 };
    return [{ ...next, phase: "live", sent: undefined }, [{ type: "send", message }]];
  }
  const high = common(state.own, head);
  return compare({ ...next, phase: "comparing", low: 0, high, compared, offered: false }, shown);
}

/** The longest prefix that can be common: a log that is longer has been ruled out as a whole. */
function common(own: Position, head: SignedHead): number {
  return head.blocks <= own.blocks ? head.blocks - 1 : own.blocks;
}

/** Asks for roots between `low` and `high`, or settles the fork when they have met. */
function compare(state: ChannelState, shown: number): Step {
  const { low, high } = state;
  if (low >= high) return settle(state, shown);
  const count = Math.min(ROOTS_MAX, high - low);
  const at: number[] = [];
  for (let i = 1; i <= count; i++) at.push(low + Math.ceil((high - low) * i / count));
  return [{ ...state, asked: at }, [{ type: "askRoots", at }]];
}

function onCompared(
  state: ChannelState,
  { at, same, shown }: Extract<Input, { type: "compared" }>,
): Step {
  // The answer to an earlier question, before this side looked again.
  if (at.length !== state.asked.length || at.some((n, i) => n !== state.asked[i])) {
    return [state, []];
  }
  let { low, high } = state;
  at.forEach((length, i) => {
    if (length <= state.low || length > state.high) return;
    if (same[i]) low = Math.max(low, length);
    else high = Math.min(high, length - 1);
  });
  // A peer whose answers do not narrow it down would be asked for ever.
  const stuck = low > high || low === state.low && high === state.high;
  if (!stuck) return compare({ ...state, low, high }, shown);
  return [state, [{
    type: "refuse",
    code: "malformed",
    message: "roots that contradict each other",
  }]];
}

/** Both logs are one up to `low` and differ after it. */
function settle(state: ChannelState, shown: number): Step {
  const { peer, own, low } = state;
  const peerWins = peer !== undefined &&
    compareHeads(peer, { ...peer, epoch: own.epoch, blocks: own.blocks, root: own.root }) < 0;
  if (low === state.compared && low < own.blocks) return lookAgain(state);
  if (low === own.blocks) {
    // Theirs only goes on where ours ends: nothing to settle.
    const message: Message = { type: "want", key: peer!.key, from: low };
    // Opening until they come: frames that are on their way now have a gap before them.
    return [{ ...state, phase: "opening", sent: low, acked: low }, [{ type: "send", message }]];
  }
  // What nobody has seen can be written again on top of the peer's branch, which then need not change.
  const yields = state.canMerge && !state.peerOpens && low >= shown;
  if (peerWins || yields) return fetch(state);
  // Where both have asked, the side whose branch loses fetches the other: else both swap for ever.
  if (state.peerOpens || own.blocks > state.ownHead) return apart(state);
  const message: Message = { type: "replace", key: peer!.key, from: low };
  const next: ChannelState = { ...state, phase: "live", sent: low, acked: low, offered: true };
  return [next, [{ type: "send", message }, { type: "pump" }]];
}

/** The peer's branch takes the place of this side's, from where they part. */
function fetch(state: ChannelState): Step {
  const next: ChannelState = { ...state, phase: "fetching", offered: false };
  return [next, [{ type: "fetch", from: state.low, isAsked: true }]];
}

function apart(state: ChannelState): Step {
  // The other side must know the head that it loses to.
  const news: Effect[] = state.peerOpens ? [{ type: "opened", shared: undefined }] : [];
  return [{ ...state, phase: "apart", sent: undefined }, news];
}

/** This side's log has changed while it was compared: what was learned is not about it any more. */
function lookAgain(state: ChannelState): Step {
  return [{ ...state, phase: "opening", sent: undefined }, [{
    type: "inspect",
    head: state.peer!,
  }]];
}

function onRun(state: ChannelState, run: Run): Step {
  if (run.head.epoch > state.own.epoch) {
    return [{ ...state, peer: run.head }, [{ type: "store", run }]];
  }
  if (state.phase === "fetching") {
    // Else all of it would be held in vain.
    const isShort = !state.isOpener && run.head.blocks < state.ownHead;
    const message = "a branch that loses against the one here";
    return isShort ? onDropped(state, "stale", message) : [state, [{ type: "hold", run }]];
  }
  // Too early for the blocks, but not for the head: who wins may depend on it.
  if (state.phase === "comparing") return [state, [{ type: "inspect", head: run.head }]];
  const isOldEpoch = run.head.epoch < state.own.epoch;
  // The peer has been told of this side's epoch.
  if (isOldEpoch && state.isOpener) return [state, []];
  if (isOldEpoch || run.head.blocks < state.ownHead && !state.isOpener) {
    return [state, [{ type: "refuse", code: "stale", message: "a head older than the one here" }]];
  }
  // While a download is in progress, also what it may have already: the log tells.
  const isInside = run.first >= state.ownHead && run.first <= state.own.blocks;
  if (isInside) {
    return [{ ...state, peer: run.head }, [{ type: "store", run }]];
  }
  if (run.first > state.own.blocks) {
    // Something before it is missing here: say again what this side has, once.
    if (state.phase === "opening") return [state, []];
    return state.isOpener
      ? again({ ...state, phase: "opening", sent: undefined }, { type: "open" })
      : [state, [{ type: "refuse", code: "conflict", message: "blocks with a gap before them" }]];
  }
  // No more than a look: another peer may have been faster with every single one.
  if (state.isOpener) return [state, [{ type: "inspect", head: run.head }]];
  // Already here (sent twice, or written by both at once): the sender looks at our head and goes on.
  return [state, [{ type: "refuse", code: "conflict", message: "blocks that do not come next" }]];
}

/**
 * A lie, if the peer is known to have all that comes before: it has said so, or sent it. Else this
 * side may have written in the meantime where the peer's blocks go on.
 */
function onMisfit(state: ChannelState, run: Run): Step {
  if (state.isOpener && run.first > state.acked) {
    return again(state, { type: "inspect", head: run.head });
  }
  const message = `blocks from ${run.first} that the head does not cover`;
  return [state, [{ type: "refuse", code: "bad_block", message }]];
}

function onAdvanced(
  state: ChannelState,
  { own, ownHead, from, fromPeer }: Extract<Input, { type: "advanced" }>,
): Step {
  if (own.epoch !== state.own.epoch) return onRaised(state, own, ownHead, fromPeer);
  // What it brought is counted already; `own` may have writes of this side after it.
  if (fromPeer) return [{ ...state, own, ownHead }, []];
  // Blocks that the peer has, or that are on their way, were replaced here: both must look again.
  const isReplaced = state.sent !== undefined && from < state.sent;
  const sent = isReplaced ? undefined : state.sent;
  const next = { ...state, own, ownHead, sent, acked: Math.min(state.acked, from), tries: 0 };
  if (isReplaced && state.isOpener && state.phase === "live") {
    return [{ ...next, phase: "opening", offered: false }, [{ type: "open" }]];
  }
  if (state.phase === "comparing" && from < state.ownHead) return lookAgain(next);
  // A peer with another branch gets no blocks before it asks for them, but it must hear of the head.
  if (state.phase === "apart" && !state.peerOpens) return lookAgain(next);
  const isApart = state.phase === "apart" || state.phase === "live" && !state.isOpener;
  if (isApart && sent === undefined) return [next, [{ type: "opened", shared: undefined }]];
  return state.phase === "live" ? live(next) : [next, []];
}

/** This side goes by another epoch now: what was said about the log before says nothing of this one. */
function onRaised(
  state: ChannelState,
  own: Position,
  ownHead: number,
  fromPeer: boolean,
): Step {
  const next: ChannelState = { ...state, own, ownHead, tries: 0, refusal: undefined };
  const { blocks } = own;
  if (fromPeer) return [{ ...next, phase: "live", sent: blocks, acked: blocks }, []];
  const fresh: ChannelState = { ...next, sent: undefined, acked: 0 };
  // An answerer is told; what answers the new `open` is no answer about the old log any more.
  return state.isOpener
    ? [{ ...fresh, phase: "opening" }, [{ type: "open" }]]
    : [{ ...fresh, phase: "live" }, [{ type: "opened", shared: undefined }]];
}

/** Looks or asks again, but not for ever: a peer may answer so that nothing ever gets through. */
function again(state: ChannelState, effect: Effect): Step {
  const tries = state.tries + 1;
  const message = "the peer's answers lead nowhere";
  if (tries > TRIES_MAX) return [state, [{ type: "refuse", code: "conflict", message }]];
  return [{ ...state, tries }, [effect]];
}

function onReject(
  state: ChannelState,
  { code, message, head, canYield = false }: Extract<Input, { type: "reject" }>,
): Step {
  if (state.phase === "comparing" || state.phase === "fetching") return [state, []];
  // No verdicts: another device was faster, and what is here must be merged with it.
  const isRace = code === "conflict" || code === "stale" || code === "bad_block";
  if (isRace && state.isOpener) {
    const next = { ...state, sent: undefined, offered: false };
    // Without a head there, another upload has taken the place of this one.
    return head === undefined
      ? again({ ...next, phase: "opening" }, { type: "open" })
      : again(next, { type: "inspect", head });
  }
  // The peer cannot take this side's branch in the place of its own: then this side goes on from that.
  if (state.offered && code === "too_large" && state.canMerge && canYield) return fetch(state);
  return [{ ...state, phase: "refused", sent: undefined, refusal: { code, message } }, []];
}
