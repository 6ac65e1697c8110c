// Garde la page (sa coquille), et jamais les données : ce qui vient de /api passe toujours par le réseau.
"use strict";

const GARDE = "regates-{{ version|escapejs }}";
const COQUILLE = [{% for adresse in coquille %}"{{ adresse|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];

self.addEventListener("install", (evenement) => {
  // « reload » : pris au serveur, et non dans ce que le navigateur aurait déjà.
  const frais = COQUILLE.map((adresse) => new Request(adresse, { cache: "reload" }));
  evenement.waitUntil(caches.open(GARDE).then((garde) => garde.addAll(frais)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (evenement) => {
  evenement.waitUntil(
    caches.keys()
      .then((noms) => Promise.all(noms.filter((nom) => nom !== GARDE).map((nom) => caches.delete(nom))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (evenement) => {
  const adresse = new URL(evenement.request.url);
  const garde = adresse.origin === self.location.origin && COQUILLE.includes(adresse.pathname);
  if (evenement.request.method === "GET" && garde) {
    evenement.respondWith(
      caches.open(GARDE)
        .then((cache) => cache.match(adresse.pathname))
        .then((reponse) => reponse || fetch(evenement.request)),
    );
  }
});
