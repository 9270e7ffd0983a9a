// The Merkle tree over the newest blocks, up to the root that the key has signed. Older blocks are drawn
// as the few hashes that stand for them: that is all that a reader needs of what it has checked before.

import { h } from "@streamo/streamo/web";

const LEAVES = 16;
const STEP = 30;
const ROW = 26;

export function tree(head) {
  if (head === undefined || head.blocks === 0) return undefined;
  const { blocks, root } = head;
  const drawing = { blocks, marks: [], lines: [], next: 0, first: Math.max(0, blocks - LEAVES) };
  const top = place(drawing, 0, blocks);
  const width = Math.max(drawing.next, 8) * STEP;
  const height = (top.level + 1) * ROW + 18;
  const y = (level) => height - 14 - level * ROW;
  const name = hex(root.subarray(0, 6));
  return h`<figure class="tree">
    <svg viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="xMinYMax" role="img"
      aria-label=${`Merkle tree over ${blocks} blocks with the root ${name}`}>
      ${
    drawing.lines.map(({ from, to }) =>
      h`<line key=${`${from.id}-${to.id}`} class=${{ fresh: to.isFresh }}
          x1=${from.x} y1=${y(from.level)} x2=${to.x} y2=${y(to.level)} />`
    )
  }
      ${drawing.marks.map((mark) => shape(mark, mark.x, y(mark.level), mark === top))}
    </svg>
    <figcaption>root <code>${name}…</code> signed</figcaption>
  </figure>`;
}

/** Puts the subtree over the blocks [from, to) into the drawing: the shape of RFC 9162. */
function place(drawing, from, to) {
  const id = `${from}-${to}`;
  // The newest block and the hashes above it: what the last head has changed.
  const isFresh = to === drawing.blocks;
  const isWhole = to <= drawing.first;
  if (isWhole || to - from === 1) {
    const x = (drawing.next++ + 0.5) * STEP;
    const mark = { id, x, level: 0, isFresh, kind: isWhole ? "older" : "block", from, to };
    drawing.marks.push(mark);
    return mark;
  }
  let half = 1;
  while (half * 2 < to - from) half *= 2;
  const left = place(drawing, from, from + half);
  const right = place(drawing, from + half, to);
  const level = Math.max(left.level, right.level) + 1;
  const mark = { id, x: (left.x + right.x) / 2, level, isFresh, kind: "node", from, to };
  drawing.marks.push(mark);
  drawing.lines.push({ from: mark, to: left }, { from: mark, to: right });
  return mark;
}

function shape({ id, kind, isFresh, from, to }, x, y, isTop) {
  const classes = [isTop ? "root" : kind, { fresh: isFresh }];
  if (kind === "block") {
    return h`<rect key=${id} class=${classes} x=${x - 8} y=${y - 8} width="16" height="16" rx="3">
      <title>block ${from}</title>
    </rect>`;
  }
  return h`<circle key=${id} class=${classes} cx=${x} cy=${y} r=${isTop ? 7 : 4}>
    <title>${isTop ? "root" : "hash"} over ${kind === "older" ? "older " : ""}blocks ${from} to ${
    to - 1
  }</title>
  </circle>`;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
