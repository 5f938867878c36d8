"""Pages that show people the builds: plain HTML from the server, and a script that keeps them as the server has them."""
