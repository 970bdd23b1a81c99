import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** The life of a message as `queue explain` tells it, in the dashboard's words; commands stay as they are. */
export const LIFE: Readonly<Record<string, Translation>> = {
  // How it came.
  "Camera {1} read {2} at {3} by its clock.": said(
    "La càmera {1} va llegir {2}; presa el {3} segons el seu rellotge.",
    "La cámara {1} leyó {2}; tomada el {3} según su reloj.",
  ),
  "Camera {1} read {2} at {3} by its clock, in the hour that the clock change gives twice (the first was taken).": said(
    "La càmera {1} va llegir {2}; presa el {3} segons el seu rellotge, a l'hora que passa dues vegades: compta la primera.",
    "La cámara {1} leyó {2}; tomada el {3} según su reloj, en la hora que ocurre dos veces: cuenta la primera.",
  ),
  "Camera {1} read {2} at {3}, which is when it came: the message had no usable time.": said(
    "La càmera {1} va llegir {2}; presa el {3}: la càmera no va donar una hora vàlida i compta la d'arribada.",
    "La cámara {1} leyó {2}; tomada el {3}: la cámara no dio una hora válida y cuenta la de llegada.",
  ),
  "Camera {1} read {2} at {3} by its clock, as the replaced system wrote it down.": said(
    "La càmera {1} va llegir {2}; presa el {3}, segons el seu rellotge tal com el va anotar el sistema anterior.",
    "La cámara {1} leyó {2}; tomada el {3}, según su reloj tal como lo anotó el sistema anterior.",
  ),
  "It came here at {1}.": said("Rebuda el {1}.", "Recibida el {1}."),
  "It came here at {1}, at once.": said("Rebuda el {1}, de seguida.", "Recibida el {1}, enseguida."),
  "It came here at {1}, {2} later.": said("Rebuda el {1}, al cap de {2}.", "Recibida el {1}, {2} después."),
  "It came here at {1}, {2} before that, so the camera's clock is ahead.": said(
    "Rebuda el {1}, {2} abans: el rellotge de la càmera va avançat.",
    "Recibida el {1}, {2} antes: el reloj de la cámara va adelantado.",
  ),
  "It came without the plate's picture.": said(
    "Va arribar sense la foto de la matrícula.",
    "Llegó sin la foto de la matrícula.",
  ),
  "It has both pictures.": said("Té les dues fotos.", "Tiene las dos fotos."),
  "It has the plate's picture, and none of the context.": said(
    "Té la foto de la matrícula i no la de context.",
    "Tiene la foto de la matrícula y no la de contexto.",
  ),

  // Where it goes.
  "It belongs to {1}, and neither its camera nor that has an endpoint.": said(
    "És de {1}, i ni la càmera ni el municipi no tenen assignat cap endpoint.",
    "Es de {1}, y ni la cámara ni el municipio tienen asignado un endpoint.",
  ),
  "It goes to {~1}, signed for {2} with {~3}.": said(
    "Destinació: {~1}; signada per a {2} amb {~3}.",
    "Destino: {~1}; firmada para {2} con {~3}.",
  ),
  "It goes to {~1}, signed for {2} with no certificate.": said(
    "Destinació: {~1}; per a {2} encara no hi ha certificat que la signi.",
    "Destino: {~1}; para {2} aún no hay certificado que la firme.",
  ),
  "certificate {1}, valid until {2}": said("certificat {1}, vàlid fins al {2}", "certificado {1}, válido hasta el {2}"),

  // What was tried.
  "It was not sent yet.": said("Encara no s'ha enviat.", "Todavía no se ha enviado."),
  "The first {#1} known attempts are left out here.": said(
    "Els primers {#1} intents coneguts no surten aquí.",
    "Los primeros {#1} intentos conocidos no salen aquí.",
  ),
  "At {1} it was sent and {~2} after {3}.": said(
    "Enviada el {1}: {~2}, al cap de {3}.",
    "Enviada el {1}: {~2}, tras {3}.",
  ),
  "At {1} it was sent and {~2} after {3}: {~4}.": said(
    "Enviada el {1}: {~2}, al cap de {3} ({~4}).",
    "Enviada el {1}: {~2}, tras {3} ({~4}).",
  ),
  "taken by the police": said("acceptada per la policia", "aceptada por la policía"),
  "refused by the police": said("rebutjada per la policia", "rechazada por la policía"),
  "did not get there": said("no s'ha arribat a la policia", "no se alcanzó a la policía"),
  "not answered": said("la policia no ha respost", "la policía no respondió"),
  "turned away for what only an operator mends": said(
    "la policia ha rebutjat el nostre certificat, rellotge o adreça",
    "la policía rechazó nuestro certificado, reloj o dirección",
  ),
  "None of its attempts is spent: only those count that were not answered while other messages were taken.": said(
    "No ha gastat cap intent: només compten els que van quedar sense resposta mentre se n'acceptaven d'altres.",
    "No ha gastado ningún intento: solo cuentan los que quedaron sin respuesta mientras se aceptaban otras.",
  ),
  "{#1} of its attempts is spent: only those count that were not answered while other messages were taken.": said(
    "Ha gastat {#1} intent: només compten els que van quedar sense resposta mentre se n'acceptaven d'altres.",
    "Ha gastado {#1} intento: solo cuentan los que quedaron sin respuesta mientras se aceptaban otras.",
  ),
  "{#1} of its attempts are spent: only those count that were not answered while other messages were taken.": said(
    "Ha gastat {#1} intents: només compten els que van quedar sense resposta mentre se n'acceptaven d'altres.",
    "Ha gastado {#1} intentos: solo cuentan los que quedaron sin respuesta mientras se aceptaban otras.",
  ),

  // What it waits for.
  "It was taken, and is erased.": said("S'ha acceptat, i està esborrada.", "Se aceptó, y está borrada."),
  "It is being sent now by {1}.": said("S'està enviant ara ({1}).", "Se está enviando ahora ({1})."),
  "It is being sent now by {1}. If it dies, the message is due again at {2} at the latest.": said(
    "S'està enviant ara ({1}). Si aquest procés mor, torna a tocar-li el {2} com a molt tard.",
    "Se está enviando ahora ({1}). Si ese proceso muere, le vuelve a tocar el {2} como muy tarde.",
  ),
  "It waits: the sender is switched off.": said(
    "Espera: l'enviament està desactivat.",
    "Espera: el envío está desactivado.",
  ),
  "It waits: no sender is running.": said(
    "Espera: no hi ha cap procés d'enviament en marxa.",
    "Espera: no hay ningún proceso de envío en marcha.",
  ),
  "Its endpoint is paused ({~1}: {~2}), until {3}, when one message tries. A pause spends no attempt.": said(
    "El seu endpoint està en pausa ({~1}: {~2}) fins al {3}; llavors ho prova un missatge. Una pausa no gasta cap intent.",
    "Su endpoint está en pausa ({~1}: {~2}) hasta el {3}; entonces lo prueba un mensaje. Una pausa no gasta ningún intento.",
  ),
  "Its certificate at this endpoint is paused ({~1}: {~2}), until {3}, when one message tries. A pause spends no attempt.":
    said(
      "El seu certificat està en pausa en aquest endpoint ({~1}: {~2}) fins al {3}; llavors ho prova un missatge. Una pausa no gasta cap intent.",
      "Su certificado está en pausa en este endpoint ({~1}: {~2}) hasta el {3}; entonces lo prueba un mensaje. Una pausa no gasta ningún intento.",
    ),
  "It is tried again at {1}, in {2}. After {#3} spent attempts it is given up.": said(
    "Es tornarà a provar el {1}, d'aquí a {2}. Amb {#3} intents gastats s'abandona.",
    "Se reintentará el {1}, dentro de {2}. Con {#3} intentos gastados se abandona.",
  ),
  "It is tried again at {1}, in {2}. The last error was: {~3}. After {#4} spent attempts it is given up.": said(
    "Es tornarà a provar el {1}, d'aquí a {2}. L'últim error: {~3}. Amb {#4} intents gastats s'abandona.",
    "Se reintentará el {1}, dentro de {2}. El último error: {~3}. Con {#4} intentos gastados se abandona.",
  ),
  "It is due and waits for its turn; older ones of its camera go first.": said(
    "Ja li toca i espera torn; primer van les més antigues de la seva càmera.",
    "Ya le toca y espera turno; primero van las más antiguas de su cámara.",
  ),
  "It is due and waits for its turn; older ones of its camera go first. The last error was: {~1}.": said(
    "Ja li toca i espera torn; primer van les més antigues de la seva càmera. L'últim error: {~1}.",
    "Ya le toca y espera turno; primero van las más antiguas de su cámara. El último error: {~1}.",
  ),

  // Why it is given up.
  "It is DEAD ({1}): {~2}. DEAD messages are erased after {3}.": said(
    "Abandonada (DEAD, {1}): {~2}. El que és DEAD s'esborra al cap de {3}.",
    "Abandonada (DEAD, {1}): {~2}. Lo que está DEAD se borra tras {3}.",
  ),
  "{~1}. It goes out by itself once that is there": said(
    "{~1}. S'envia tota sola quan ho té",
    "{~1}. Se envía sola cuando lo tiene",
  ),
  "{~1}. What was said: {~2}": said("{~1}. El que se'n va dir: {~2}", "{~1}. Lo que se dijo: {~2}"),
  "its municipality has no certificate": said("el municipi no té certificat", "el municipio no tiene certificado"),
  "a file of its municipality's certificate is missing or does not fit": said(
    "falten fitxers del certificat del municipi o no encaixen entre ells",
    "faltan archivos del certificado del municipio o no casan entre sí",
  ),
  "it has nowhere to go": said(
    "ni la càmera ni el municipi no tenen assignat cap endpoint",
    "ni la cámara ni el municipio tienen asignado un endpoint",
  ),
  "the police did not answer it several times while they took others, so something in it may be what they stumble over":
    said(
      "la policia no va respondre diverses vegades, tot i que sí a d'altres lectures: potser hi ha alguna cosa que els fa ensopegar",
      "la policía no respondió varias veces, aunque sí a otras lecturas: puede que algo en ella les haga tropezar",
    ),
  "the camera sent no picture of the plate, without which the police take nothing": said(
    "la càmera no va enviar la foto de la matrícula, que la policia exigeix",
    "la cámara no envió la foto de la matrícula, que la policía exige",
  ),
  "its picture's file is gone": said(
    "la foto de la matrícula ja no és al disc",
    "la foto de la matrícula ya no está en el disco",
  ),
  "its context picture's file is gone": said(
    "la foto de context ja no és al disc",
    "la foto de contexto ya no está en el disco",
  ),
  "a value does not fit what the police allow": said(
    "un camp no cap en el que admet la policia",
    "un campo no cabe en lo que admite la policía",
  ),
  "the police understood it and refused it": said(
    "la policia ho va entendre i ho va rebutjar",
    "la policía lo entendió y lo rechazó",
  ),
  "it was given up: {1}": said("es va abandonar: {1}", "se abandonó: {1}"),
  "the reading came without its plate picture": said(
    "la lectura va arribar sense la foto de la matrícula",
    "la lectura llegó sin la foto de la matrícula",
  ),
  "the plate picture's file is gone": said(
    "el fitxer de la foto de la matrícula ja no hi és",
    "el fichero de la foto de la matrícula ya no está",
  ),
  "the plate picture's file is empty": said(
    "el fitxer de la foto de la matrícula és buit",
    "el fichero de la foto de la matrícula está vacío",
  ),
  "the context picture's file is gone": said(
    "el fitxer de la foto de context ja no hi és",
    "el fichero de la foto de contexto ya no está",
  ),
  "the municipality has no certificate": said("el municipi no té certificat", "el municipio no tiene certificado"),
  "neither camera nor municipality has an endpoint": said(
    "ni la càmera ni el municipi no tenen cap endpoint",
    "ni la cámara ni el municipio tienen endpoint",
  ),

  // What would free it.
  "What would help:": said("Què ho resoldria:", "Qué lo resolvería:"),
  "set SENDER_ENABLED=true and restart": said(
    "poseu SENDER_ENABLED=true i reinicieu",
    "ponga SENDER_ENABLED=true y reinicie",
  ),
  "{1}   (now, with all its attempts)": said(
    "{1}   (ara, amb tots els intents)",
    "{1}   (ahora, con todos los intentos)",
  ),
  "{1}   (it is tried again by itself)": said("{1}   (es reprova tot sol)", "{1}   (se reintenta solo)"),
  "{1}   (erases it unsent)": said("{1}   (s'esborra sense lliurar-se)", "{1}   (se borra sin entregarse)"),
  "{1}   (reader code, coordinates)": said(
    "{1}   (codi de lector, coordenades)",
    "{1}   (código de lector, coordenadas)",
  ),
  "after mending: {1}": said("un cop corregit: {1}", "una vez corregido: {1}"),
  "switch IMAGE_OCR on in the camera": said("activeu IMAGE_OCR a la càmera", "active IMAGE_OCR en la cámara"),
  "look who deletes below the folder of the pictures": said(
    "mireu qui esborra dins de la carpeta de les fotos",
    "mire quién borra dentro de la carpeta de las fotos",
  ),
  "ask the police what the code means": said(
    "pregunteu a la policia què vol dir el codi",
    "pregunte a la policía qué significa el código",
  ),
};
