/**
 * Follows `next` to the end: what is filtered and sorted as one types has all of it. `onPage` sees what there is so far, after
 * each page but the last.
 */
export async function everyPage<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; next: string | null }>,
  onPage?: (items: T[]) => void,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    items.push(...answer.items);
    cursor = answer.next ?? undefined;
    if (cursor) onPage?.([...items]);
  } while (cursor);
  return items;
}
