export const n = (count: number): string => count.toLocaleString("en");
export const readings = (count: number): string => `${n(count)} ${count === 1 ? "reading" : "readings"}`;
export const messages = (count: number): string => `${n(count)} ${count === 1 ? "message" : "messages"}`;
export const days = (count: number): string => `${n(count)} ${count === 1 ? "day" : "days"}`;
