# Of Doxygen's warnings those that are errors: all, but for what needs no sentence of its own. A class needs one, and
# each field of a struct that users fill in or read. Needing none:
#   - the template within a declaration (Dense::Layer, Adam::Update), whose contract is above the declaration;
#   - functions: a layer has those that LayerBase describes, and most names of others say enough;
#   - constants of a kind (relu, glorot_uniform), which one sentence describes together; macros and aliases;
#   - fields of a class, which are private; names of types and layers, and the state of a callback;
#   - fields in core, kernels and model: users seldom name them.
!/is not documented/ { print; next }
/Compound .*::(Layer|Function|Update) is not/ { next }
/Compound / { print; next }
/\/(core|kernels|model)\// { next }
/Member (type|name|keras_name|keras_activation|state) \(variable\)/ { next }
/\(variable\) of struct / { print }
