import type { Texts } from "../texts.ts";
import { readings } from "./words.ts";

export const frame: Pick<Texts, "app" | "login" | "firstRun"> = {
  app: {
    title: "Lectures per a la policia",
    skip: "Vés al contingut",
    nav: "Pàgines",
    overview: "Resum",
    messages: "Cua",
    held: "Quarantena",
    certificates: "Certificats",
    language: "Idioma",
    theme: "Colors",
    themes: { auto: "Com el dispositiu", light: "Clar", dark: "Fosc" },
    logOut: "Surt",
    roles: { viewer: "només consulta", operator: "operador", admin: "administrador" },
    loading: "S’està carregant…",
    lost: "Sense connexió: el que es veu pot ser antic. Es torna a provar.",
    cancel: "Cancel·la",
    copy: "Copia",
    copied: "Copiat",
    never: "mai",
    unknown: "desconegut",
    storeAway: (spooled, isFull) =>
      `La base de dades no respon: no es lliura res fins que respongui. ${isFull ? "Les càmeres han de guardar el que arribi ara, perquè el disc d’aquesta màquina és ple" : "Les càmeres no noten res"}${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "espera" : "esperen"} al disc d’aquesta màquina`}. El que es veu a sota pot ser antic.`,
    ago: (age) => `fa ${age}`,
    notFound: "Aquesta pàgina no existeix.",
    needsRole: (role) => `Cal el rol ${role}.`,
    more: "N’hi ha més; només es mostren els primers.",
    showMore: "Mostra’n més",
  },
  login: {
    title: "Entra",
    token: "Token",
    help: "El crea algú amb accés a la màquina:",
    submit: "Entra",
    wrong: "Aquest token no es coneix, s’ha revocat o ha caducat.",
    tooMany: "Massa intents fallits des d’aquesta adreça. Espereu un quart d’hora.",
  },
  firstRun: {
    title: "Benvinguts a tattile",
    text: "Encara no hi pot entrar ningú. Creeu el primer token a la màquina, per consola o SSH:",
    after:
      "El token es mostra una sola vegada. Deseu-lo com una contrasenya. Aquesta pàgina se n’adona sola i el demanarà.",
    roles: "Rols: viewer veu com està tot, sense matrícules ni fotos; operator reenvia i descarta; admin ho pot tot.",
  },
};
