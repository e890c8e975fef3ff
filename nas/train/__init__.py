"""Training of one network: the recipe, and what follows it.

Only the recipe is imported here; it needs no torch, so a study file can be read quickly.
"""

from nas.train.recipe import Fidelity, Recipe, Rung, load_recipe, recipe_names

__all__ = ["Fidelity", "Recipe", "Rung", "load_recipe", "recipe_names"]
