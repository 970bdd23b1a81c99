import type { Texts } from "../texts.ts";
import { readings } from "./words.ts";

export const frame: Pick<Texts, "app" | "login" | "firstRun"> = {
  app: {
    title: "Lecturas para la policía",
    skip: "Ir al contenido",
    nav: "Páginas",
    overview: "Resumen",
    messages: "Cola",
    held: "Cuarentena",
    certificates: "Certificados",
    language: "Idioma",
    theme: "Colores",
    themes: { auto: "Como el dispositivo", light: "Claro", dark: "Oscuro" },
    logOut: "Salir",
    roles: { viewer: "solo consulta", operator: "operador", admin: "administrador" },
    loading: "Cargando…",
    lost: "Sin conexión: lo que se ve puede ser antiguo. Se vuelve a intentar.",
    cancel: "Cancelar",
    copy: "Copiar",
    copied: "Copiado",
    never: "nunca",
    unknown: "desconocido",
    storeAway: (spooled, isFull) =>
      `La base de datos no responde: no se entrega nada hasta que responda. ${isFull ? "Las cámaras deben guardar lo que llegue ahora, porque el disco de esta máquina está lleno" : "Las cámaras no notan nada"}${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "espera" : "esperan"} en el disco de esta máquina`}. Lo que se ve abajo puede ser antiguo.`,
    ago: (age) => `hace ${age}`,
    notFound: "Esta página no existe.",
    needsRole: (role) => `Hace falta el rol ${role}.`,
    more: "Hay más; solo se muestran los primeros.",
    showMore: "Mostrar más",
  },
  login: {
    title: "Entrar",
    token: "Token",
    help: "Lo crea alguien con acceso a la máquina:",
    submit: "Entrar",
    wrong: "Este token no se conoce, está revocado o ha caducado.",
    tooMany: "Demasiados intentos fallidos desde esta dirección. Espere un cuarto de hora.",
  },
  firstRun: {
    title: "Bienvenido a tattile",
    text: "Todavía no puede entrar nadie. Cree el primer token en la máquina, por consola o SSH:",
    after: "El token se muestra una sola vez. Guárdelo como una contraseña. Esta página se da cuenta sola y lo pedirá.",
    roles:
      "Roles: viewer ve cómo está todo, sin matrículas ni fotos; operator reenvía y descarta; admin lo puede todo.",
  },
};
