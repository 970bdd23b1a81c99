export const n = (count: number): string => count.toLocaleString("ca-ES");
export const readings = (count: number): string => `${n(count)} ${count === 1 ? "lectura" : "lectures"}`;
export const messages = (count: number): string => `${n(count)} ${count === 1 ? "missatge" : "missatges"}`;
export const days = (count: number): string => `${n(count)} ${count === 1 ? "dia" : "dies"}`;
/** `de Vila`, `d’Olot`. */
export const of = (name: unknown): string => (/^h?[aeiouàèéíòóú]/i.test(String(name)) ? `d’${name}` : `de ${name}`);
