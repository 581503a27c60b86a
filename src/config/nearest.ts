/**
 * The candidate that a misspelt name most likely means, or `undefined` when none is near: at most two slips (a letter missing, added,
 * replaced, or two swapped), and fewer than the name has letters. Case, `-` and `_` do not count.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const target = plain(candidate);
    const slipsMax = Math.min(2, Math.max(1, Math.max(target.length, wanted.length) - 2));
    if (Math.abs(target.length - wanted.length) > slipsMax) continue;
    const distance = slips(wanted, target);
    if (distance <= slipsMax && distance < Math.max(target.length, 1) && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.slice(0, 256).toLowerCase().replaceAll(/[-_]/g, "");
}

/** Optimal string alignment distance (Damerau 1964, without repeated edits of one place). */
function slips(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (older[j - 2] ?? 0) + 1);
      row.push(least);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
