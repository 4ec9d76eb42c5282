export type Opening = [title: string | null, name: string | RegExp, path: string, how: object];

export function openings(furniture: object): Opening[];
