"""A team's web application: Django, REST framework and SimpleJWT, with projects and their members."""
