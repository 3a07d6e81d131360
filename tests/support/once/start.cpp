// Nothing of its own: models_once.hpp is precompiled with it.
