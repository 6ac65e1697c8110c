// La page installable. Son service worker la garde : elle s'ouvre sans réseau, et dit alors que rien n'est joignable.

import { demarrer } from "./regates.js";

demarrer();

if ("serviceWorker" in navigator) {
  navigator.serviceWorker
    .register("/mobile/service-worker.js", { scope: "/mobile/" })
    .catch((erreur) => console.warn("Page non gardée :", erreur.message));
}
