"""Models to beat, all fitted on the same folds by the same rule.

They train on a fold's training rows and choose hyper-parameters by the squared error on its
validation rows. What is learned from data (means, kernels' scales, effects) is learned inside the
rows of the fit.
"""
