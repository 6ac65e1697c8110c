"""Table du journal des connexions."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Première version de la base locale."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Connexion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("compte", models.CharField(db_index=True, max_length=64)),
                ("instant", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("acceptee", models.BooleanField(verbose_name="acceptée")),
            ],
            options={"verbose_name": "connexion", "ordering": ["-instant", "-id"]},
        ),
    ]
