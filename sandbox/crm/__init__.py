"""CRMs on this machine: Salesforce, Dynamics 365 and ServiceNow as their published APIs show themselves."""
