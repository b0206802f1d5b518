"""Files that tasks show and answers hold: taken in resumably, looked into, kept once, served by signed links."""
