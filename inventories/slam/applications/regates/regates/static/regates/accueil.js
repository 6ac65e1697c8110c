// La page pour un poste fixe : ce que fait la page mobile, et l'ajout de régates.

import { ajouter } from "./api.js";
import { annoncer, charger, demarrer, element, quandEnvoye } from "./regates.js";

demarrer();

quandEnvoye(element("nouvelle"), async (regate, formulaire) => {
  await ajouter("/api/regates", regate);
  formulaire.reset();
  await charger();
  annoncer(`La régate « ${regate.nom} » est ajoutée.`);
});
