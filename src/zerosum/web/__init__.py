"""The page: the lab, in which you play with a GAN, and the watch, which shows runs; served to a browser. It needs the extra `web`."""
