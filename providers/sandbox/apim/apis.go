package apim

func (t *tenant) apiNaming(*keyManager) *int                     { return nil }
func (t *tenant) subscriptionsOf(*application) int               { return 0 }
func (t *tenant) removeSubscriptions(*application)               {}
func subscriptionPolicyInUse(*call, *subscriptionPolicy) *answer { return nil }
func advancedPolicyInUse(*call, *advancedPolicy) *answer         { return nil }
func (t *tenant) apiAt(string) *int                              { return nil }
func (t *tenant) apisInCategory(string) int                      { return 0 }
func (t *tenant) deployedTo(string) bool                         { return false }
