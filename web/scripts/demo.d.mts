export function demoPlant(): object;
export function print(demo: object): string;
