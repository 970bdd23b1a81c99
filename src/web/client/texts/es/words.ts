export const n = (count: number): string => count.toLocaleString("es-ES");
export const readings = (count: number): string => `${n(count)} ${count === 1 ? "lectura" : "lecturas"}`;
export const messages = (count: number): string => `${n(count)} ${count === 1 ? "mensaje" : "mensajes"}`;
export const days = (count: number): string => `${n(count)} ${count === 1 ? "día" : "días"}`;
